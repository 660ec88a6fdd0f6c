//! One scenario, from beginning to end.

use super::core::Core;
use super::outcome::Outcome;
use super::scenarios::{Wish, script};
use super::script::Act;
use super::story::Story;
use super::world::World;

/// Runs a scenario with a protocol.
///
/// # Errors
/// If there is no such scenario.
pub fn run<C: Core>(wish: &Wish) -> Result<Outcome, String> {
    let script = script(wish)?;
    let steps = script.steps.clone();
    let mut world = World::<C>::new(script, wish.seed);
    world.story = Story::wanted(wish.story);
    let mut calm = false;
    for step in &steps {
        world.run_to(world.now + step.wait);
        world.story.tell(world.now, || format!("{:?}", step.act));
        world.act(&step.act);
        calm |= matches!(step.act, Act::Calm);
    }
    world.end(calm);
    Ok(Outcome::of(wish, &world))
}

//! Claims about what many calls spend together.

use super::*;

/// An attempt in a random run: whether a second one joins it, how long it takes, and how it fails, if it does.
type Outcome = (bool, u64, Option<(Reason, Executed)>);

/// Calls of one client, one after the other.
struct Client {
    now: Instant,
    budget: Budget,
    field: Vec<Runner>,
    policy: Policy,
    /// Attempts that reached a worker, or may have, beyond the first of each call.
    resent: usize,
}

impl Client {
    fn call(&mut self, outcomes: &[Outcome]) {
        self.budget.deposit(self.now);
        let mut schedule = Schedule::new(self.now, self.now + ms(500), Idempotent, self.policy);
        let (mut under_way, mut reached) = (Vec::new(), 0_usize);
        for (hedges, millis, failure) in outcomes {
            if under_way.is_empty() {
                match schedule.next(self.now, &self.field) {
                    Next::Wait { until } => {
                        self.now = until;
                        continue;
                    }
                    Next::GiveUp(_) => break,
                    Next::Try { among, .. } => {
                        under_way.push(self.field[among[0]].instance);
                        schedule.handle_started(under_way[0]);
                    }
                }
            }
            if *hedges
                && let Some((among, _)) = schedule.hedge(self.now, &self.field)
                && self.budget.withdraw(self.now)
            {
                under_way.push(self.field[among[0]].instance);
                schedule.handle_hedged(under_way[1]);
            }
            self.now += ms(*millis);
            let Some((reason, executed)) = failure else { break };
            let status = Status::new(*reason, *executed, "");
            reached += usize::from(Class::of(&status).was_sent());
            schedule.handle_failure(self.now, under_way.remove(0), (&status).into(), &mut self.budget, 0.9);
        }
        self.resent += (reached + under_way.len()).saturating_sub(1);
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let failure = any_failure().prop_map(|(_, reason, executed)| (reason, executed));
    (any::<bool>(), 0..20_u64, prop::option::weighted(0.9, failure))
}

proptest! {
    #[test]
    fn resends_and_hedges_of_all_calls_together_are_paid_for(
        tenths in 0..=10_u32,
        reserve in 0..3_u32,
        attempts_max in 1..6_u32,
        calls in prop::collection::vec((0..50_u64, prop::collection::vec(any_outcome(), 8)), 1..40),
    ) {
        let now = Instant::now();
        let mut client = Client {
            now,
            budget: Budget::new(now, f64::from(tenths) / 10.0, reserve),
            field: Call::over(3, Idempotent).field,
            policy: Policy { attempts_max, backoff: Backoff { base: ms(1), cap: ms(5) }, ..POLICY },
            resent: 0,
        };
        let mut made = 0;
        for (pause, outcomes) in &calls {
            client.now += ms(*pause);
            client.call(outcomes);
            made += 1;
            prop_assert!(client.now < now + Duration::from_secs(10), "no deposit is forgotten meanwhile");
            let paid = made * tenths as usize / 10 + reserve as usize * 10;
            prop_assert!(client.resent <= paid, "{} resends, {} paid for", client.resent, paid);
        }
    }
}

//! One designated node among those with a tag: the same everywhere while views agree.

use crate::membership::Node;

/// The oldest of them, by when its process started; of several that started together, the lowest id.
///
/// The oldest and not the lowest id, so that a node that joins never takes over from one that works.
pub(crate) fn oldest(nodes: impl Iterator<Item = Node>, key: &str, value: Option<&str>) -> Option<Node> {
    let tagged =
        nodes.filter(|node| node.tag(key).is_some_and(|held| value.is_none_or(|wanted| held == wanted)));
    tagged.min_by_key(|node| (node.generation, node.id))
}

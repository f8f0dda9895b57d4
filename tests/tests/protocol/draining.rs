//! Whether it can still get to the end, from wherever it got to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use stateright::Model as _;

use crate::actions::Protocol;
use crate::world::World;

/// Every world that can be reached, up to the names of equals, and what leads to what.
struct Graph {
    worlds: HashMap<World, usize>,
    /// By world, those that lead to it.
    before: Vec<Vec<usize>>,
}

impl Graph {
    fn explore(protocol: &Protocol) -> Self {
        let mut graph = Self {
            worlds: HashMap::new(),
            before: Vec::new(),
        };
        let mut todo = Vec::new();
        for world in protocol.init_states() {
            graph.visit(world, &mut todo);
        }
        while let Some((number, world)) = todo.pop() {
            let mut actions = Vec::new();
            protocol.actions(&world, &mut actions);
            for action in actions {
                if let Some(next) = protocol.next_state(&world, action) {
                    let next = graph.visit(next, &mut todo);
                    graph.before[next].push(number);
                }
            }
        }
        graph
    }

    /// The number of a world, which is to be explored when it is new.
    fn visit(&mut self, world: World, todo: &mut Vec<(usize, World)>) -> usize {
        let number = self.worlds.len();
        match self.worlds.entry(world.representative()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(number);
                self.before.push(Vec::new());
                todo.push((number, world));
                number
            }
        }
    }
}

/// A world from which nothing that can happen leads to the end. The checker itself only
/// finds worlds in which nothing happens any more; this finds endless circles as well.
pub(crate) fn stuck(protocol: &Protocol) -> Option<World> {
    let graph = Graph::explore(protocol);
    let mut can_drain = vec![false; graph.before.len()];
    let mut todo: Vec<usize> = (graph.worlds.iter())
        .filter_map(|(world, number)| world.drained(&protocol.scenario).then_some(*number))
        .collect();
    while let Some(number) = todo.pop() {
        if !std::mem::replace(&mut can_drain[number], true) {
            todo.extend(&graph.before[number]);
        }
    }
    (graph.worlds.into_iter()).find_map(|(world, number)| (!can_drain[number]).then_some(world))
}

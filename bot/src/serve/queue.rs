//! Who is answered next: fair between askers, whatever one of them asks. Pure.

use std::collections::{HashMap, VecDeque};

/// How many of one asker's questions are told their place anew.
const N_TOLD: usize = 4;

/// Questions that wait, by asker.
#[derive(Debug)]
pub struct Queue {
    limits: QueueLimits,
    waiting: Vec<(String, VecDeque<String>)>,
    /// When each asker was served last; an asker who never was goes first.
    served: HashMap<String, u64>,
    n_served: u64,
}

/// How many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Of one asker.
    pub per_asker: usize,
    /// In all.
    pub in_all: usize,
}

/// Why a question cannot wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The asker has too many waiting.
    OfAsker,
    /// Everybody together.
    InAll,
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: QueueLimits) -> Self {
        Self { limits, waiting: Vec::new(), served: HashMap::new(), n_served: 0 }
    }

    /// Lets a question wait; how many go before it.
    ///
    /// # Errors
    /// Where too many wait already.
    pub fn push(&mut self, asker: &str, question: &str) -> Result<usize, Full> {
        if self.len() >= self.limits.in_all {
            return Err(Full::InAll);
        }
        let place = self.waiting.iter().position(|(name, _)| name == asker);
        let place = place.unwrap_or_else(|| {
            self.waiting.push((asker.to_owned(), VecDeque::new()));
            self.waiting.len() - 1
        });
        let own = &mut self.waiting[place].1;
        if own.len() >= self.limits.per_asker {
            return Err(Full::OfAsker);
        }
        own.push_back(question.to_owned());
        Ok(self.n_before(question))
    }

    /// The next question: of the asker whose last turn lies furthest back.
    pub fn take_next(&mut self) -> Option<String> {
        let place = (0..self.waiting.len()).min_by_key(|&i| self.served.get(&self.waiting[i].0).copied().unwrap_or(0))?;
        let (asker, own) = &mut self.waiting[place];
        let question = own.pop_front();
        self.n_served += 1;
        self.served.insert(asker.clone(), self.n_served);
        if own.is_empty() {
            self.waiting.remove(place);
        }
        self.forget_old_turns();
        question
    }

    /// Those that wait, each with how many go before it; of one asker the first few.
    pub fn places(&self) -> Vec<(String, usize)> {
        let first = |(_, own): &(String, VecDeque<String>)| own.iter().take(N_TOLD).cloned().collect::<Vec<_>>();
        let told: Vec<String> = self.waiting.iter().flat_map(first).collect();
        told.into_iter().map(|question| (self.n_before(&question), question)).map(|(n, question)| (question, n)).collect()
    }

    /// Allows so many from now on; what waits stays.
    pub fn limit(&mut self, limits: QueueLimits) {
        self.limits = limits;
    }

    /// Takes a question out; whether it waited.
    pub fn remove(&mut self, question: &str) -> bool {
        let before = self.len();
        self.waiting.iter_mut().for_each(|(_, own)| own.retain(|waiting| waiting != question));
        self.waiting.retain(|(_, own)| !own.is_empty());
        self.len() < before
    }

    /// How many questions wait.
    pub fn len(&self) -> usize {
        self.waiting.iter().map(|(_, own)| own.len()).sum()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many go before a question, as things stand: every other asker's, as long as that one has more than this asker before it.
    fn n_before(&self, question: &str) -> usize {
        let Some((mine, at)) =
            self.waiting.iter().enumerate().find_map(|(i, (_, own))| own.iter().position(|waiting| waiting == question).map(|at| (i, at)))
        else {
            return 0;
        };
        let turn = |i: usize| self.served.get(&self.waiting[i].0).copied().unwrap_or(0);
        let others = (0..self.waiting.len()).filter(|&i| i != mine).map(|i| {
            let goes_first = (turn(i), i) < (turn(mine), mine);
            self.waiting[i].1.len().min(at + usize::from(goes_first))
        });
        at + others.sum::<usize>()
    }

    /// Turns that lie far back are as good as none.
    fn forget_old_turns(&mut self) {
        if self.served.len() > 1_000 {
            let line = self.n_served.saturating_sub(500);
            self.served.retain(|_, turn| *turn > line);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const LIMITS: QueueLimits = QueueLimits { per_asker: 3, in_all: 8 };

    #[test]
    fn a_flood_of_one_lets_the_others_through_after_one_turn() {
        let mut queue = Queue::new(QueueLimits { per_asker: 50, in_all: 100 });
        (0..50).for_each(|i| _ = queue.push("flood", &format!("flood {i}")));
        assert_eq!(queue.take_next().as_deref(), Some("flood 0"));
        assert_eq!(queue.push("ada", "ada 0"), Ok(0));
        assert_eq!(queue.push("grace", "grace 0"), Ok(1));
        assert_eq!(queue.take_next().as_deref(), Some("ada 0"));
        assert_eq!(queue.push("ada", "ada 1"), Ok(2));
        assert_eq!(queue.take_next().as_deref(), Some("grace 0"));
        assert_eq!(queue.take_next().as_deref(), Some("flood 1"));
        assert_eq!(queue.take_next().as_deref(), Some("ada 1"));
    }

    #[test]
    fn too_many_are_refused_by_whose_fault_it_is() {
        let mut queue = Queue::new(LIMITS);
        (0..3).for_each(|i| assert!(queue.push("ada", &format!("a{i}")).is_ok()));
        assert_eq!(queue.push("ada", "a3"), Err(Full::OfAsker));
        (0..5).for_each(|i| assert!(queue.push(&format!("p{i}"), &format!("q{i}")).is_ok()));
        assert_eq!(queue.push("late", "l"), Err(Full::InAll));
        assert!(queue.remove("a1") && !queue.remove("a1"));
        assert_eq!(queue.len(), 7);
    }

    proptest! {
        /// What `push` says goes before a question is what then goes before it, where nothing else comes.
        #[test]
        fn the_place_that_is_told_is_true(askers in proptest::collection::vec(0..4u8, 1..8), n_served in 0..4usize) {
            let mut queue = Queue::new(QueueLimits { per_asker: 9, in_all: 99 });
            for (i, asker) in askers.iter().enumerate() {
                queue.push(&asker.to_string(), &format!("before {i}")).unwrap();
            }
            (0..n_served).for_each(|_| _ = queue.take_next());
            let place = queue.push("2", "mine").unwrap();
            let told = queue.places();
            let order: Vec<String> = std::iter::from_fn(|| queue.take_next()).collect();
            prop_assert_eq!(order.iter().position(|question| question == "mine"), Some(place));
            for (question, place) in told {
                prop_assert_eq!(order.iter().position(|other| *other == question), Some(place));
            }
        }
    }
}

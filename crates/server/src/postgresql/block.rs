//! Where a connection stands between `BEGIN` and `COMMIT`: what its settings and cursors go back to.

use parking_lot::Mutex;

use super::kept::Place;
use super::settings::{Frame, Values};

/// The transaction of a connection, if there is one.
#[derive(Debug, Default)]
pub(super) struct Block(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The settings when the transaction began.
    begin: Option<Frame>,
    /// Whether it is that of a message with several statements, which ends with the message.
    is_implicit: bool,
    savepoints: Vec<Savepoint>,
}

#[derive(Debug)]
struct Savepoint {
    name: String,
    frame: Frame,
    _place: Place,
}

impl Block {
    /// Begins a transaction, or makes one that goes on anyway an explicit one.
    pub(super) fn begin(&self, values: &Values, is_implicit: bool) {
        let mut state = self.0.lock();
        if state.begin.is_none() {
            state.begin = Some(values.frame());
            state.is_implicit = is_implicit;
        }
        state.is_implicit &= is_implicit;
    }

    /// Whether there is a transaction of either kind.
    pub(super) fn is_open(&self) -> bool {
        self.0.lock().begin.is_some()
    }

    pub(super) fn is_implicit(&self) -> bool {
        let state = self.0.lock();
        state.begin.is_some() && state.is_implicit
    }

    /// How many savepoints there are.
    pub(super) fn depth(&self) -> usize {
        self.0.lock().savepoints.len()
    }

    /// Ends the transaction. What was set for its time goes back, and where it is rolled back, all that was set in it.
    pub(super) fn end(&self, values: &Values, is_committed: bool) {
        let State { begin, .. } = std::mem::take(&mut *self.0.lock());
        match begin {
            Some(begin) if !is_committed => values.go_back(&begin),
            Some(_) => values.end_local(),
            None => {}
        }
    }

    /// What a savepoint would take beside its name.
    pub(super) fn bytes_of_savepoint(&self, values: &Values) -> usize {
        let state = self.0.lock();
        let last = state.savepoints.last().map(|savepoint| &savepoint.frame).or(state.begin.as_ref());
        values.frame().bytes_beside(last)
    }

    pub(super) fn add_savepoint(&self, name: String, values: &Values, place: Place) {
        self.0.lock().savepoints.push(Savepoint { name, frame: values.frame(), _place: place });
    }

    /// Removes the last savepoint of this name, and those after it. Gives how many are left; `None` where there is no
    /// such savepoint.
    pub(super) fn release(&self, name: &str) -> Option<usize> {
        let mut state = self.0.lock();
        let place = state.savepoints.iter().rposition(|savepoint| savepoint.name == name)?;
        state.savepoints.truncate(place);
        Some(place)
    }

    /// Goes back to the last savepoint of this name, which stays. Gives how many there are then.
    pub(super) fn roll_back_to(&self, name: &str, values: &Values) -> Option<usize> {
        let mut state = self.0.lock();
        let place = state.savepoints.iter().rposition(|savepoint| savepoint.name == name)?;
        state.savepoints.truncate(place + 1);
        if let Some(savepoint) = state.savepoints.last() {
            values.go_back(&savepoint.frame);
        }
        Some(place + 1)
    }
}

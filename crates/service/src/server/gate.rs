//! What every call passes before its handler: who it is from, whether they may make it, and whether
//! there is room for it.

use http::Request;
use tonic::Status;
use tonic::body::Body;

use super::in_flight::InFlight;
use super::pace::{Pace, Paces};
use super::record::CallRecord;
use super::refusal::denied;
use super::refused::{Refusals, Refused};
use crate::access::{ANONYMOUS, Access, Caller, Denied};
use crate::clock::SharedClock;
use crate::metrics::CALLS_IN_FLIGHT;

/// The gate of a server.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) access: Access,
    pub(super) refusals: Refusals,
    pub(super) in_flight: InFlight,
    pub(super) paces: Paces,
    pub(super) clock: SharedClock,
}

impl Gate {
    /// Lets a call in, with its seat in `record`.
    pub(super) fn admit(
        &self,
        request: &Request<Body>,
        record: &mut CallRecord,
    ) -> Result<(Caller, Pace), Status> {
        let path = request.uri().path();
        let admitted = self
            .access
            .admit(path, record.peer(), request.headers(), self.clock.now());
        let (caller, rule) = match admitted {
            Ok(admitted) => admitted,
            Err(why) => {
                self.note(&why, record);
                return Err(denied(&why));
            }
        };
        record.identify(&caller);
        let pace = self.paces.admit(&caller)?;
        record.hold(self.in_flight.admit(rule, &caller)?);
        CALLS_IN_FLIGHT.set(self.in_flight.count() as u64, &[]);
        Ok((caller, pace))
    }

    fn note(&self, why: &Denied, record: &CallRecord) {
        let (identity, method) = match why {
            Denied::NotAllowed { identity, method } => (identity.as_str(), *method),
            Denied::Unknown { .. } | Denied::NoMethod => (ANONYMOUS, ""),
        };
        self.refusals.note(Refused {
            word: why.word(),
            method,
            identity: identity.to_owned(),
            address: record.address(),
            what: why.to_string(),
            unrecorded: 0,
        });
    }
}

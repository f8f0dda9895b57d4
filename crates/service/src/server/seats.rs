//! Seats: how many there are of something, of which one peer and one method get a part, so that
//! no caller takes them all. A seat is given back when it is dropped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a limit counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Share {
    All,
    Peer(IpAddr),
    Method(Arc<str>),
    MethodOfPeer(IpAddr, Arc<str>),
    Identity(Arc<str>),
    StreamsOf(Arc<str>),
}

/// The seats that are taken, by what is counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<Share, usize>>>);

/// One seat.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    shares: Vec<Share>,
}

impl Seats {
    /// Takes a seat of each share, or says which has none left, and its limit. Nothing queues
    /// here: a caller that is refused at once can back off.
    pub(super) fn take(&self, shares: Vec<(Share, usize)>) -> Result<Seat, (Share, usize)> {
        let mut taken = self.taken();
        let used_up =
            |(share, limit): &&(Share, usize)| taken.get(share).is_some_and(|taken| taken >= limit);
        if let Some(used_up) = shares.iter().find(used_up) {
            return Err(used_up.clone());
        }
        let shares: Vec<Share> = shares.into_iter().map(|(share, _)| share).collect();
        for share in &shares {
            *taken.entry(share.clone()).or_default() += 1;
        }
        drop(taken);
        let seats = self.clone();
        Ok(Seat { seats, shares })
    }

    /// How many are taken.
    pub(super) fn count(&self) -> usize {
        self.taken().get(&Share::All).copied().unwrap_or(0)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Share, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        for share in &self.shares {
            match taken.get_mut(share) {
                Some(count) if *count > 1 => *count -= 1,
                Some(_) | None => drop(taken.remove(share)),
            }
        }
    }
}

/// Who a peer is to a limit. An IPv6 host has a whole network of addresses, so that counts.
pub(super) fn peer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

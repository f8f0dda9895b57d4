//! What reads and imports cost the databases, counted in statements and in rows that a scan went
//! through. Time depends on the machine, these do not.

mod counted;
mod imports;
mod reads;

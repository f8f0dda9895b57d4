//! Calls to servers of other people: by HTTP and by mail. What every such call needs is here once:
//! the TLS provider, clients that follow no redirect, and keeping secrets out of errors.

mod http;
mod mail;
mod scrub;

pub use http::{CaError, client_builder, install_tls_provider, is_this_machine, read_start};
pub use mail::{Mailer, SmtpSecurity, SmtpSettings};
pub use scrub::Scrub;

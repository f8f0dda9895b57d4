//! The daily job on real servers: an SFTP server, an S3 server that checks signatures, a mail
//! server, PostgreSQL and MariaDB.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

mod canary;
mod days;
mod landing;
mod outages;
mod presence;
mod running;
mod setup;
mod year;

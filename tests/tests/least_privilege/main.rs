//! Least privilege: the accounts that the SQL files in each service's folder `roles` make, on
//! real servers. With them each service does all its work (`work`), may do nothing else
//! (`refused`), and says clearly what it lacks (`missing`).

mod accounts;
mod missing;
mod refused;
mod services;
mod work;

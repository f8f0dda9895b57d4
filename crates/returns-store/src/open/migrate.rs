//! Bringing the tables up to date, or seeing that they are.

use echeck_service::ErrorChain;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migrator};

use crate::StoreError;

/// Where the applied migrations are recorded.
pub(super) const TABLE: &str = "_sqlx_migrations";

/// Applies what is missing. With `migrate` false it only says what is missing. An account
/// that may not change the schema passes either way when nothing is.
///
/// Two replicas may do this at once: on PostgreSQL the second waits for the first. What a
/// newer version has applied is left alone, so that an older one runs on beside it.
///
/// `there` says whether the database has a table of its migrations.
pub(super) async fn bring_up_to_date<C: Migrate>(
    connection: &mut C,
    mut migrator: Migrator,
    there: bool,
    migrate: bool,
) -> Result<(), StoreError> {
    migrator.set_ignore_missing(true);
    let applied = if there {
        let listed = connection.list_applied_migrations(TABLE).await;
        listed.map_err(|error| unread(&error))?
    } else {
        Vec::new()
    };
    let missing = missing(&migrator, &applied)?;
    if missing.is_empty() {
        return Ok(());
    }
    if !migrate {
        return Err(StoreError::Unusable(format!(
            "its tables are not what this version needs: {} missing, and database.migrate = false \
             forbids to apply it. Start this version once with database.migrate = true and an \
             account that may change the schema",
            missing.join(", ")
        )));
    }
    migrator
        .run_direct(None, connection, false)
        .await
        .map_err(|error| {
            StoreError::Unusable(format!(
                "its tables could not be brought up to date ({} missing): {}",
                missing.join(", "),
                ErrorChain(&error)
            ))
        })
}

/// What is not applied yet, in words.
fn missing(migrator: &Migrator, applied: &[AppliedMigration]) -> Result<Vec<String>, StoreError> {
    let mut missing = Vec::new();
    for migration in migrator.iter() {
        let shown = format!("{:04} ({})", migration.version, migration.description);
        match applied.iter().find(|one| one.version == migration.version) {
            Some(one) if one.checksum == migration.checksum => {}
            Some(_) => {
                return Err(StoreError::Unusable(format!(
                    "migration {shown} was applied with other statements than this version has; \
                     the tables are not those of this program"
                )));
            }
            None => missing.push(format!("migration {shown} is")),
        }
    }
    Ok(missing)
}

/// Names a failure to read which migrations are applied.
fn unread(error: &MigrateError) -> StoreError {
    StoreError::Unusable(format!(
        "the list of its migrations, {TABLE}, cannot be read: {}",
        ErrorChain(error)
    ))
}

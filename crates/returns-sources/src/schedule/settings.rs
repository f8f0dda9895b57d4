//! The schedules of the configuration: `[sources.NAME.schedule]`.

use std::collections::HashMap;

use echeck_service::config::Section;
use returns_model::plan::{Days, Plan, PlanText};

/// Reads the plan of every source that has one. Faults are recorded with their keys.
pub fn plans(root: &Section<'_>) -> HashMap<String, Plan> {
    root.sections("sources")
        .into_iter()
        .filter(|(_, source)| source.has("schedule"))
        .filter_map(|(name, source)| plan(&source).map(|plan| (name, plan)))
        .collect()
}

fn plan(source: &Section<'_>) -> Option<Plan> {
    let section = source.section("schedule");
    if !source.has("sftp") && !source.has("folder") {
        section.fault(
            "cron",
            "a schedule needs a place to fetch from: sftp or folder",
        );
    }
    let choices = Days::ALL.map(|days| (days.as_str(), days));
    let text = PlanText {
        cron: section.string("cron"),
        time_zone: section.string_or("time_zone", "America/New_York"),
        days: section.one_of("days", &choices, Some(Days::BankingDays)),
        due: section.optional_string("due"),
        grace_minutes: u32::try_from(section.u64_or("grace_minutes", 30, 0..=1_440)).unwrap_or(30),
    };
    // The fault of a missing expression is recorded already.
    if text.cron.is_empty() {
        return None;
    }
    let plan = Plan::parse(text).map_err(|faults| {
        for fault in faults {
            section.fault(fault.field, fault.what);
        }
    });
    plan.ok()
}

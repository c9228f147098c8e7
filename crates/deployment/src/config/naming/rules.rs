//! The rules, in the order and with the messages of the predecessor.

use super::standards::{Standards, Tickets};
use super::{Violation, fix};

impl Standards {
    /// What is wrong with this name for an item of this type.
    pub(super) fn violations(&self, kind: &str, name: &str, strict: bool) -> Vec<Violation> {
        let Some(rule) = self.types.get(kind) else {
            let message = if strict {
                format!("Unknown item type: {kind}")
            } else {
                format!("No naming standards defined for type: {kind}")
            };
            let help = format!("add item_types.{kind} to the naming standards");
            return vec![Violation { message, help }];
        };
        let mut messages = self.global_violations(name);
        let ticket = self.ticket(name);
        match (ticket, &rule.pattern) {
            _ if self.legacy => {}
            (Some((tickets, _)), _) if !tickets.pattern.1.is_match(name) => {
                messages.push(format!("Name does not match pattern: {}", tickets.pattern.0));
            }
            (Some((_, rest)), _) if !fix::has_suffix(rest, kind) => {
                messages.push(format!("Name of a {kind} should end with _{}", fix::suffix(kind)));
            }
            (None, Some((written, pattern))) if !pattern.is_match(name) => {
                messages.push(format!("Name does not match pattern: {written}"));
            }
            _ => {}
        }
        let (examples, suggestion) = match ticket {
            Some((tickets, _)) => (&tickets.examples, None),
            None => (&rule.examples, self.suggestion(kind, name)),
        };
        let help = match suggestion {
            Some(name) => format!("Suggested fix: '{name}'"),
            None if examples.is_empty() => "rename the item".to_owned(),
            None => {
                format!("Valid examples: {}", examples.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
            }
        };
        messages.into_iter().map(|message| Violation { message, help: help.clone() }).collect()
    }

    fn global_violations(&self, name: &str) -> Vec<String> {
        if name.is_empty() {
            return vec!["Name is empty".to_owned()];
        }
        let mut messages = Vec::new();
        if name.chars().count() > self.max_length {
            messages.push(format!("Name exceeds max length of {} characters", self.max_length));
        }
        if let Some((allowed, regex)) = &self.characters
            && !regex.is_match(name)
        {
            messages.push(format!("Name contains invalid characters. Allowed: {allowed}"));
        }
        if self.no_leading_number && name.starts_with(|c: char| c.is_ascii_digit()) {
            messages.push("Name cannot start with a number".to_owned());
        }
        if self.no_special_start && name.starts_with(['_', '-']) {
            messages.push("Name cannot start with special character".to_owned());
        }
        if self.reserved.contains(&name.to_lowercase()) {
            messages.push(format!("'{name}' is a reserved word and cannot be used"));
        }
        messages
    }

    /// A better name, only if it keeps the rules itself: a wrong proposal is worse than none.
    fn suggestion(&self, kind: &str, name: &str) -> Option<String> {
        let pattern = self.types.get(kind)?.pattern.as_ref().map(|(_, pattern)| pattern);
        let fixed = fix::fixed(kind, name, pattern).filter(|_| self.suggest)?;
        let holds = pattern.is_none_or(|pattern| pattern.is_match(&fixed))
            && self.global_violations(&fixed).is_empty();
        holds.then_some(fixed)
    }

    /// The rule for names with tickets and what follows the ticket, if the name begins with one.
    fn ticket<'n>(&self, name: &'n str) -> Option<(&Tickets, &'n str)> {
        let tickets = self.tickets.as_ref()?;
        let (ticket, rest) = name.split_once('_')?;
        let (system, number) = ticket.split_once('-')?;
        let known = tickets.systems.is_empty() || tickets.systems.iter().any(|known| known == system);
        let valid = !system.is_empty() && system.chars().all(|c| c.is_ascii_uppercase());
        (known && valid && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
            .then_some((tickets, rest))
    }
}

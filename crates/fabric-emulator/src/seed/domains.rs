//! Domains and tags of a seed.

use serde::Deserialize;
use uuid::Uuid;

use super::error::{At, SeedError};
use crate::world::{ContributorsScope, NewDomain, Tag, World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DomainSeed {
    id: Option<Uuid>,
    display_name: String,
    #[serde(default)]
    description: String,
    parent_domain_id: Option<Uuid>,
    contributors_scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TagSeed {
    id: Option<Uuid>,
    display_name: String,
    domain_id: Option<Uuid>,
}

pub(super) fn add(world: &mut World, domains: Vec<DomainSeed>, tags: Vec<TagSeed>) -> Result<(), SeedError> {
    for (n, domain) in domains.into_iter().enumerate() {
        let place = format!("domains[{n}] `{}`", domain.display_name);
        add_domain(world, domain).at(place)?;
    }
    for (n, tag) in tags.into_iter().enumerate() {
        let place = format!("tags[{n}] `{}`", tag.display_name);
        add_tag(world, tag).at(place)?;
    }
    Ok(())
}

fn add_domain(world: &mut World, seed: DomainSeed) -> Result<(), SeedError> {
    let new = NewDomain {
        display_name: seed.display_name,
        description: seed.description,
        parent: seed.parent_domain_id,
        default_label: None,
    };
    let scope = seed.contributors_scope.as_deref().map(ContributorsScope::read).transpose()?;
    let domain = world.add_domain(new)?;
    domain.contributors = scope.unwrap_or(domain.contributors);
    domain.given_id = seed.id.is_some();
    domain.id = seed.id.unwrap_or(domain.id);
    Ok(())
}

fn add_tag(world: &mut World, seed: TagSeed) -> Result<(), SeedError> {
    if let Some(domain) = seed.domain_id {
        world.domain(domain).at(format_args!("domainId `{domain}`"))?;
    }
    world.tags.push(Tag {
        id: seed.id.unwrap_or_else(Uuid::new_v4),
        given_id: seed.id.is_some(),
        display_name: seed.display_name,
        domain: seed.domain_id,
    });
    Ok(())
}

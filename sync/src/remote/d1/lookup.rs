//! Looks up the id of a database by its name.

use serde::Deserialize;

use crate::base::world::World;
use crate::remote::address::D1Address;
use crate::remote::d1::answer::result;
use crate::remote::d1::http::Api;
use crate::remote::meter::Meter;
use crate::remote::primary::PrimaryError;
use crate::remote::secret::Secret;

const PER_PAGE: usize = 100;

/// The most pages of results that are read. The search returns only names that contain the given
/// one, so there are few, however many databases the account has.
const PAGES_MAX: usize = 20;

#[derive(Deserialize)]
struct Database {
    uuid: String,
    name: String,
}

/// Replaces the name of the database in an address by its id, because the API takes ids only.
pub async fn resolve(
    address: D1Address,
    token: Option<Secret>,
    world: World,
) -> Result<D1Address, PrimaryError> {
    if is_id(&address.database) {
        return Ok(address);
    }
    let api = Api::new(&address, token, world, Meter::default())?;
    let database = id(&api, &address.database).await?;
    Ok(D1Address { database, ..address })
}

/// Returns the id of a database, given its id or its name.
pub(super) async fn id(api: &Api, database: &str) -> Result<String, PrimaryError> {
    if is_id(database) {
        return Ok(database.to_owned());
    }
    for page in 1..=PAGES_MAX {
        let query = format!("name={database}&page={page}&per_page={PER_PAGE}");
        let answer = api.get(&format!("/d1/database?{query}")).await?;
        let found: Vec<Database> = result(&api.place, &answer)?;
        // The search matches parts of names.
        let exact = found.iter().find(|found| found.name == database);
        if let Some(exact) = exact.filter(|exact| is_id(&exact.uuid)) {
            return Ok(exact.uuid.clone());
        }
        if found.len() < PER_PAGE {
            break;
        }
    }
    let message = format!("the account has none that is named {database:?}");
    Err(PrimaryError::NoDatabase { url: api.place.url.clone(), message })
}

/// Whether a text has the form of an id: 32 hex digits in groups of 8, 4, 4, 4 and 12.
fn is_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |group: &&str| group.bytes().all(|letter| letter.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn ids_are_told_from_names() {
        assert!(is_id("00000000-0000-4000-8000-00000000000f"));
        assert!(is_id("ABCDEF00-0000-4000-8000-00000000000f"));
        for name in ["notes", "", "0000-0000-4000-8000-000000000000", &"a-".repeat(16)] {
            assert!(!is_id(name), "{name}");
        }
    }
}

//! The tables of BasicOS: every row says, or follows one that says, whose it is.

use fastest_schema::{Migration, Row, Schema, table};

/// A customer of a tenant.
#[table(name = "customers", policy = versioned("addresses change"), scope = tenant_id)]
pub struct Customer {
    /// ULID.
    #[pk]
    pub id: String,
    /// Whose row it is.
    pub tenant_id: String,
    /// The name to show.
    pub name: String,
}

/// What a customer asked for.
#[table(
    name = "orders",
    policy = versioned("orders are filled step by step"),
    scope = customer_id -> customers.tenant_id,
)]
pub struct Order {
    /// ULID.
    #[pk]
    pub id: String,
    /// Who asked. The order belongs to the customer's tenant.
    #[references(customers.id, on_delete = cascade)]
    pub customer_id: String,
    /// What for.
    pub what: String,
}

/// All of it.
pub static BASICOS: Schema = Schema {
    owner: "basicos",
    tables: &[Customer::TABLE, Order::TABLE],
    migrations: &[
        Migration {
            name: "0000_basicos_init.sql",
            sql: include_str!("migrations/0000_basicos_init.sql"),
        },
        Migration {
            name: "0001_basicos_exact_values.sql",
            sql: include_str!("migrations/0001_basicos_exact_values.sql"),
        },
    ],
};

//! The tables of BasicOS. Every row names its tenant, or refers to a row that does.

use fastest_schema::{Migration, Row, Schema, table};

/// A customer of a tenant.
#[table(name = "customers", policy = versioned("addresses change"), scope = tenant_id)]
pub struct Customer {
    /// ULID.
    #[pk]
    pub id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The name to show.
    pub name: String,
}

/// An order of a customer.
#[table(
    name = "orders",
    policy = versioned("orders are filled step by step"),
    scope = customer_id -> customers.tenant_id,
)]
pub struct Order {
    /// ULID.
    #[pk]
    pub id: String,
    /// The customer, whose tenant the order belongs to.
    #[references(customers.id, on_delete = cascade)]
    pub customer_id: String,
    /// What was ordered.
    pub what: String,
}

/// The whole schema.
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
        Migration {
            name: "0002_basicos_marks.sql",
            sql: include_str!("migrations/0002_basicos_marks.sql"),
        },
    ],
};

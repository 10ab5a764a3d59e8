//! Tenants, tokens, scopes, limits, audit rows: decisions as values. Empty until issue 4.

//! Routes with their documentation: what is served and what is described is one list.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

use crate::server::Server;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anybody,
    /// A device, with its token.
    Device,
    /// The app's backend, with the application key.
    App,
}

/// What is known of a route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Who may call it.
    pub access: Access,
    takes: Option<fn(&mut SchemaGenerator) -> Schema>,
    asks: Option<fn(&mut SchemaGenerator) -> Schema>,
    gives: Option<fn(&mut SchemaGenerator) -> Schema>,
}

impl Route {
    /// A route without body and reply.
    pub const fn new(method: Method, path: &'static str, access: Access, summary: &'static str) -> Self {
        Self { method, path, summary, access, takes: None, asks: None, gives: None }
    }

    /// Its body.
    pub fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(|generator| generator.subschema_for::<T>()), ..self }
    }

    /// Its query parameters.
    pub fn asks<T: JsonSchema>(self) -> Self {
        Self { asks: Some(|generator| generator.root_schema_for::<T>()), ..self }
    }

    /// Its reply.
    pub fn gives<T: JsonSchema>(self) -> Self {
        Self { gives: Some(|generator| generator.subschema_for::<T>()), ..self }
    }

    /// The schema of its body.
    pub fn body(&self, generator: &mut SchemaGenerator) -> Option<Schema> {
        self.takes.map(|schema| schema(generator))
    }

    /// The schema of its query.
    pub fn query(&self, generator: &mut SchemaGenerator) -> Option<Schema> {
        self.asks.map(|schema| schema(generator))
    }

    /// The schema of its reply.
    pub fn reply(&self, generator: &mut SchemaGenerator) -> Option<Schema> {
        self.gives.map(|schema| schema(generator))
    }
}

/// A router in the making, and the list of what it serves.
#[derive(Default)]
pub struct Routes {
    /// The list.
    pub list: Vec<Route>,
    /// The router.
    pub router: Router<Arc<Server>>,
}

impl Routes {
    /// Adds a route.
    pub fn add<H, T>(mut self, route: Route, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        let filter = match route.method {
            Method::POST => MethodFilter::POST,
            Method::PUT => MethodFilter::PUT,
            Method::PATCH => MethodFilter::PATCH,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        self.router = self.router.route(route.path, on(filter, handler));
        self.list.push(route);
        self
    }
}

//! The OpenAPI 3.1 document, generated from the routes and the wire types.

use axum::Json;
use axum::http::Method;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::route::{Access, Route};

/// The document.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        })
        .into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes().list {
        let operation = operation(&route, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let error = generator.subschema_for::<suda_proto::ErrorBody>();
    let mut schemas = Map::new();
    schemas.extend(generator.take_definitions(true));
    schemas.insert(
        "Error".to_owned(),
        json!({ "type": "object", "required": ["error"], "properties": { "error": error } }),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Suda",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accounts, devices, contacts and groups. Chat itself is described in docs/protocol.md.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "device": { "type": "http", "scheme": "bearer", "description": "A device's token." },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "suda",
                    "description": "A browser's, set at log-in, called `__Host-suda` over TLS; counts only beside the header \
                                    `Suda-Session: cookie`, and only on the server's own pages.",
                },
                "app": { "type": "http", "scheme": "bearer", "description": "The application key." },
            },
        },
    })
}

/// Serves the document.
pub(super) async fn serve() -> Json<Value> {
    Json(document())
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_names(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }))
        .collect();
    if let Some(query) = route.query(generator) {
        parameters.extend(query_parameters(&query));
    }
    let content =
        |schema: Option<Schema>| schema.map(|schema| json!({ "application/json": { "schema": schema } }));
    let mut success = json!({ "description": "It succeeded." });
    if let Some(content) = content(route.reply(generator)) {
        success["content"] = content;
    }
    let failure = json!({
        "description": "It failed; the body says why.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    });
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": { "200": success, "default": failure },
        "security": match route.access {
            Access::Anybody => json!([]),
            Access::Device => json!([{ "device": [] }, { "cookie": [] }]),
            Access::App => json!([{ "app": [] }]),
        },
    });
    if let Some(content) = content(route.body(generator)) {
        let required = route.method != Method::DELETE;
        operation["requestBody"] = json!({ "required": required, "content": content });
    }
    operation
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn query_parameters(query: &Schema) -> Vec<Value> {
    let required: Vec<&str> = query
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = query.get("properties").and_then(Value::as_object);
    let parameter = |(name, schema): (&String, &Value)| json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema });
    properties.into_iter().flatten().map(parameter).collect()
}

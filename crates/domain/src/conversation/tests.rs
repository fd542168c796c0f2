//! Tests of the conversation against a simple model.

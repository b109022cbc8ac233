//! The tables of what arrives by HTTP. Times are milliseconds since 1970 UTC.

use crate::store::{Migration, SchemaPart};

/// The part `arrivals` of `anlan.db`.
pub const ARRIVALS_SCHEMA: SchemaPart = SchemaPart {
    name: "arrivals",
    migrations: &[
        Migration {
            version: 1,
            sql: "
CREATE TABLE push_device (
    name TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    series TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);
CREATE TABLE push_answer (
    who TEXT NOT NULL,
    push_key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (who, push_key)
);
CREATE INDEX push_answer_by_age ON push_answer (at_ms);
",
        },
        Migration {
            version: 2,
            sql: "
CREATE TABLE import (
    number BIGINT PRIMARY KEY,
    who TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    name TEXT NOT NULL,
    file_hash TEXT NOT NULL,
    summary TEXT NOT NULL,
    left_out BIGINT NOT NULL,
    readings TEXT,
    confirmed_by TEXT,
    confirmed_ms BIGINT
);
CREATE INDEX import_by_file ON import (file_hash);
CREATE TABLE import_number (last BIGINT NOT NULL);
",
        },
        Migration {
            version: 3,
            sql: "
CREATE TABLE forecast_import (
    number BIGINT PRIMARY KEY,
    who TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    area TEXT NOT NULL,
    variable TEXT NOT NULL,
    issued_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    withdrawn_by TEXT,
    withdrawn_ms BIGINT,
    withdrawn_reason TEXT
);
CREATE INDEX forecast_import_by_body ON forecast_import (body_hash);
CREATE INDEX forecast_import_by_issue ON forecast_import (area, issued_ms);
CREATE TABLE forecast_change (last BIGINT NOT NULL);
INSERT INTO forecast_change (last) VALUES (0);
",
        },
        Migration {
            version: 4,
            sql: "
CREATE TABLE camera_shot (
    number BIGINT PRIMARY KEY,
    camera TEXT,
    alarm TEXT,
    alarm_since_ms BIGINT,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    metres DOUBLE PRECISION,
    photo TEXT,
    fault TEXT
);
CREATE INDEX camera_shot_by_alarm ON camera_shot (alarm, alarm_since_ms);
CREATE INDEX camera_shot_by_camera ON camera_shot (camera, number);
",
        },
    ],
};

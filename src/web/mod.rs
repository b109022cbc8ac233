//! HTTP API, event stream, sessions and the pages embedded in the binary.

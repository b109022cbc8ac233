//! SL 651-2014 (水文监测数据通信规约): stations that report by themselves, over TCP and UDP.

pub mod codec;

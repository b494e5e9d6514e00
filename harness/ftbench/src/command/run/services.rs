//! The servers that workloads need while they are measured.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::server_error;
use crate::error::SystemError;
use crate::services::loopback::LoopbackServer;
use crate::workload::{Service, Workload};

/// Starts the server that the workloads need, and adds its addresses to the environment of their trials. Returns `None`
/// if they need no server.
pub fn start(
    workloads: &[Workload],
    environment: &mut BTreeMap<String, String>,
) -> Result<Option<LoopbackServer>, SystemError> {
    let needed: BTreeSet<Service> = workloads
        .iter()
        .flat_map(|workload| workload.metadata.services.iter().copied())
        .collect();
    if needed.is_empty() {
        return Ok(None);
    }
    let server = std::env::current_exe()
        .and_then(|executable| LoopbackServer::start(&executable, &["loopback-server"]))
        .map_err(server_error())?;
    for service in needed {
        let address = server.addresses().value(service);
        environment.insert(service.variable().to_owned(), address);
    }
    Ok(Some(server))
}

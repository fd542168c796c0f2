//! The account's devices.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use suda_proto::close::Close;
use suda_proto::reply::Done;
use suda_proto::rest::{Device, Devices};
use suda_proto::{Code, DeviceId};

use super::auth::InPath;
use super::error::ApiResult;
use super::route::{Access, Route, Routes};
use crate::gateway::Caller;
use crate::server::{Server, storage};

pub(super) fn routes(routes: Routes) -> Routes {
    let device = |method, path, summary| Route::new(method, path, Access::Device, summary);
    routes.add(device(Method::GET, "/v1/devices", "The account's devices.").gives::<Devices>(), list).add(
        device(Method::DELETE, "/v1/devices/{device}", "Log a device out, at once.").gives::<Done>(),
        remove,
    )
}

async fn list(State(server): State<Arc<Server>>, caller: Caller) -> ApiResult<Devices> {
    let devices = server.ports.devices.list(caller.account).await.map_err(storage)?;
    let devices = devices.into_iter().map(|device| Device {
        this: device.id == caller.device,
        device: device.id,
        name: device.name,
        platform: device.platform,
        created_at: device.created_at,
        last_active_at: device.last_active_at,
    });
    Ok(Json(Devices { devices: devices.collect() }))
}

async fn remove(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InPath(device): InPath<DeviceId>,
) -> ApiResult<Done> {
    if !server.ports.devices.remove(caller.account, device).await.map_err(storage)? {
        return Err(Code::NoSuchDevice.into());
    }
    server.revoke(caller.account, &[device], Close::Unauthenticated);
    Ok(Json(Done {}))
}

//! What this installation is called in the account's list of devices.

use suda_proto::rest::NewDevice;

/// The most characters of a device's name.
const NAME_CHARACTERS: usize = 64;

/// This device, named after its machine where that is known.
pub fn this_device() -> NewDevice {
    let machine = std::env::var("HOSTNAME").ok().or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let machine = machine.as_deref().map_or("", str::trim);
    let name = if machine.is_empty() { "Terminal".to_owned() } else { format!("Terminal, {machine}") };
    NewDevice { name: name.chars().take(NAME_CHARACTERS).collect(), platform: "terminal".to_owned() }
}

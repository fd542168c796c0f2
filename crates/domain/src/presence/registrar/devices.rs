//! An account's devices on one node, without memory of their own where there is but one.

use suda_proto::DeviceId;

use super::Availability;

/// The sessions of a device.
#[derive(Debug)]
pub struct Device {
    device: DeviceId,
    foreground: u8,
    background: u8,
    lingers: Availability,
    /// The tick in which it stops lingering.
    until: u32,
}

impl Device {
    /// One more session; whatever lingered is replaced by it.
    pub fn open(&mut self, is_foreground: bool) {
        let count = self.count(is_foreground);
        *count = count.saturating_add(1);
        self.lingers = Availability::Offline;
    }

    /// One session less, if there is one.
    pub fn close(&mut self, was_foreground: bool) -> bool {
        let count = self.count(was_foreground);
        let had_one = *count > 0;
        *count = count.saturating_sub(1);
        had_one
    }

    /// Whether it has a live session.
    pub const fn has_sessions(&self) -> bool {
        self.foreground > 0 || self.background > 0
    }

    /// Lets it look until then as if its last session lived on.
    pub const fn linger(&mut self, was_foreground: bool, until: u32) {
        self.lingers = if was_foreground { Availability::Online } else { Availability::Away };
        self.until = until;
    }

    const fn count(&mut self, foreground: bool) -> &mut u8 {
        if foreground { &mut self.foreground } else { &mut self.background }
    }

    fn availability(&self) -> Availability {
        match (self.foreground, self.background) {
            (0, 0) => self.lingers,
            (0, _) => Availability::Away,
            _ => Availability::Online,
        }
    }
}

/// All devices of an account.
#[derive(Debug)]
pub enum Devices {
    /// Most accounts.
    One(Device),
    /// None, or several.
    Many(Vec<Device>),
}

impl Default for Devices {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Devices {
    fn all(&self) -> &[Device] {
        match self {
            Self::One(device) => std::slice::from_ref(device),
            Self::Many(devices) => devices,
        }
    }

    fn all_mut(&mut self) -> &mut [Device] {
        match self {
            Self::One(device) => std::slice::from_mut(device),
            Self::Many(devices) => devices,
        }
    }

    /// The best that any device is.
    pub fn best(&self) -> Availability {
        self.all().iter().map(Device::availability).max().unwrap_or(Availability::Offline)
    }

    /// The device, if it has or had sessions.
    pub fn get_mut(&mut self, device: DeviceId) -> Option<&mut Device> {
        self.all_mut().iter_mut().find(|known| known.device == device)
    }

    /// The device, known from now on.
    pub fn entry(&mut self, device: DeviceId) -> &mut Device {
        let position = self.all().iter().position(|known| known.device == device);
        let position = position.unwrap_or_else(|| {
            let lingers = Availability::Offline;
            self.add(Device { device, foreground: 0, background: 0, lingers, until: 0 });
            self.all().len() - 1
        });
        &mut self.all_mut()[position]
    }

    fn add(&mut self, device: Device) {
        *self = match std::mem::take(self) {
            Self::Many(devices) if devices.is_empty() => Self::One(device),
            Self::One(first) => Self::Many(vec![first, device]),
            Self::Many(mut devices) => {
                devices.push(device);
                Self::Many(devices)
            }
        };
    }

    /// Ends all sessions and all that lingers of the device, or of every one; whether somebody was looking.
    pub fn end(&mut self, device: Option<DeviceId>) -> bool {
        let mut was_looking = false;
        for known in self.all_mut().iter_mut().filter(|known| device.is_none_or(|it| it == known.device)) {
            was_looking |= known.foreground > 0;
            (known.foreground, known.background, known.lingers) = (0, 0, Availability::Offline);
        }
        was_looking
    }

    /// Ends what lingers until `tick` or earlier; whether there was any.
    pub fn expire(&mut self, tick: u32) -> bool {
        let mut expired = false;
        for device in self.all_mut() {
            if device.lingers != Availability::Offline && device.until <= tick {
                device.lingers = Availability::Offline;
                expired = true;
            }
        }
        expired
    }

    /// Forgets devices of which nothing is left.
    pub fn tidy_up(&mut self) {
        if self.all().iter().all(|device| device.availability() != Availability::Offline) {
            return;
        }
        let mut devices = match std::mem::take(self) {
            Self::One(device) => vec![device],
            Self::Many(devices) => devices,
        };
        devices.retain(|device| device.availability() != Availability::Offline);
        devices.shrink_to_fit();
        *self = match devices.pop() {
            Some(only) if devices.is_empty() => Self::One(only),
            Some(last) => {
                devices.push(last);
                Self::Many(devices)
            }
            None => Self::default(),
        };
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(devices) => devices.capacity() * size_of::<Device>(),
        }
    }
}

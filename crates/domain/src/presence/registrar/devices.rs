//! An account's devices on one node, without memory of their own where there is but one.

use suda_proto::DeviceId;

use super::Availability;

/// The sessions of a device.
#[derive(Debug)]
pub struct Device {
    /// The random half of its id: an account has few devices.
    device: u64,
    foreground: u8,
    background: u8,
    /// The ticks in which its last session of each class stops lingering; 0 for none that does.
    foreground_until: u32,
    background_until: u32,
}

/// What devices of one account are told apart by.
fn short(device: DeviceId) -> u64 {
    u128::from_be_bytes(*device.bytes()) as u64
}

impl Device {
    /// One more session; what lingered of its class or a lesser one is replaced by it. A better one may still come back.
    pub const fn open(&mut self, is_foreground: bool) {
        let count = self.count(is_foreground);
        *count = count.saturating_add(1);
        self.background_until = 0;
        if is_foreground {
            self.foreground_until = 0;
        }
    }

    /// One session less, if there is one.
    pub fn close(&mut self, was_foreground: bool) -> bool {
        let count = self.count(was_foreground);
        let had_one = *count > 0;
        *count = count.saturating_sub(1);
        had_one
    }

    /// Whether it has no session that is as good as the one that ended.
    pub const fn is_less(&self, was_foreground: bool) -> bool {
        self.foreground == 0 && (was_foreground || self.background == 0)
    }

    /// Lets it look until then as if its last session of the class lived on.
    pub fn linger(&mut self, was_foreground: bool, until: u32) {
        let known = if was_foreground { &mut self.foreground_until } else { &mut self.background_until };
        *known = until.max(1).max(*known);
    }

    const fn count(&mut self, foreground: bool) -> &mut u8 {
        if foreground { &mut self.foreground } else { &mut self.background }
    }

    const fn availability(&self) -> Availability {
        if self.foreground > 0 || self.foreground_until > 0 {
            Availability::Online
        } else if self.background > 0 || self.background_until > 0 {
            Availability::Away
        } else {
            Availability::Offline
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
        self.all_mut().iter_mut().find(|known| known.device == short(device))
    }

    /// The device, known from now on.
    pub fn entry(&mut self, device: DeviceId) -> &mut Device {
        let device = short(device);
        let position = self.all().iter().position(|known| known.device == device);
        let position = position.unwrap_or_else(|| {
            let (foreground_until, background_until) = (0, 0);
            self.add(Device { device, foreground: 0, background: 0, foreground_until, background_until });
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
        let device = device.map(short);
        for known in self.all_mut().iter_mut().filter(|known| device.is_none_or(|it| it == known.device)) {
            was_looking |= known.foreground > 0;
            (known.foreground, known.background) = (0, 0);
            (known.foreground_until, known.background_until) = (0, 0);
        }
        was_looking
    }

    /// Ends what lingers until `tick` or earlier; whether there was any.
    pub fn expire(&mut self, tick: u32) -> bool {
        let mut expired = false;
        for device in self.all_mut() {
            for until in [&mut device.foreground_until, &mut device.background_until] {
                if (1..=tick).contains(until) {
                    *until = 0;
                    expired = true;
                }
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

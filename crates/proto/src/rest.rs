//! Bodies of the REST API: accounts, devices, contacts and groups. Paths stand in the generated OpenAPI document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::{Role, SettingsBody};
use crate::ids::{AccountId, ClientId, ConversationId, DeviceId};
use crate::raw::{Raw, reads_flattened};

/// What others see of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Who.
    pub account: AccountId,
    /// The unique name; empty once the account is deleted.
    pub name: String,
    /// The name to show.
    pub display_name: String,
    /// A hue for the avatar, 0 to 359 degrees.
    pub colour: u16,
    /// A line about oneself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Opaque data of the app, up to 2 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Raw>,
    /// True once the account is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Who may do something to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody who is not blocked.
    #[default]
    Everyone,
    /// Only contacts.
    Contacts,
    /// Nobody.
    Nobody,
}

/// The account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnAccount {
    /// What others see.
    #[serde(flatten)]
    pub profile: Profile,
    /// Who may begin a direct conversation.
    pub who_may_message: Audience,
    /// Who may add the account to a group.
    pub who_may_add: Audience,
    /// Who may see when it is online or types, and how far it has read. Whoever chooses nobody sees none of that of
    /// others either.
    pub who_may_see: Audience,
    /// The language of the interface: a BCP 47 tag such as `en` or `ko`.
    pub language: String,
    /// When the account was made, milliseconds since 1970.
    pub created_at: u64,
    /// How many unused recovery codes are left.
    pub recovery_codes_left: u32,
}

reads_flattened!(OwnAccount { who_may_message: Audience, who_may_add: Audience, #[serde(default)] who_may_see: Audience, language: String, created_at: u64, recovery_codes_left: u32 } and profile);

/// Names the installation that logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewDevice {
    /// For the account's list of devices, up to 64 characters.
    #[serde(default)]
    pub name: String,
    /// `web`, `ios`, `android`, `desktop`, `terminal` or any other word of up to 32 characters.
    #[serde(default)]
    pub platform: String,
}

/// `POST /v1/accounts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignUp {
    /// 2 to 32 characters of `[a-z0-9_.]`.
    pub name: String,
    /// 8 to 256 characters.
    pub password: String,
    /// 1 to 64 characters; the name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where sign-up is by invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    /// The first device.
    #[serde(default)]
    pub device: NewDevice,
}

/// `POST /v1/login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogIn {
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// The device that logs in.
    #[serde(default)]
    pub device: NewDevice,
}

/// `POST /v1/login/recovery`: a recovery code instead of the password; logs every other device out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recover {
    /// The account's name.
    pub name: String,
    /// One of its recovery codes; used up by this.
    pub recovery_code: String,
    /// The new password.
    pub new_password: String,
    /// The device that logs in.
    #[serde(default)]
    pub device: NewDevice,
}

/// `POST /v1/login/app`: a token signed by the app's own backend; makes the account at first sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppLogIn {
    /// A JWT (RFC 7519), HS256 or EdDSA, with `kid`, `sub`, `aud`, `exp`, and optionally `name` and `display_name`.
    pub jwt: String,
    /// The device that logs in.
    #[serde(default)]
    pub device: NewDevice,
}

/// Answers sign-up and every kind of login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedIn {
    /// The account.
    pub account: OwnAccount,
    /// The new device.
    pub device: DeviceId,
    /// The device's token; shown once, keep it secret. Absent where it went into a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// At sign-up: codes that each replace the password once. Shown once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
}

/// `PATCH /v1/account`: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountChange {
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A hue, 0 to 359.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<u16>,
    /// A line about oneself, up to 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Who may begin a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who_may_message: Option<Audience>,
    /// Who may add the account to a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who_may_add: Option<Audience>,
    /// Who may see when it is online or types, and how far it has read. Whoever chooses nobody sees none of that of
    /// others either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who_may_see: Option<Audience>,
    /// The language of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Opaque data of the app, up to 2 KiB; `null` is a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Raw>,
}

/// `POST /v1/account/password`: logs every other device out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordChange {
    /// The password until now.
    pub old_password: String,
    /// The password from now on.
    pub new_password: String,
}

/// Body of requests that need the password again: `DELETE /v1/account`, `POST /v1/account/recovery-codes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordProof {
    /// The account's password; accounts that log in through an app have none and leave it empty.
    #[serde(default)]
    pub password: String,
}

/// Answers `POST /v1/account/recovery-codes`; earlier codes are void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryCodes {
    /// The new codes.
    pub recovery_codes: Vec<String>,
}

/// A device of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Which.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: String,
    /// When it logged in, milliseconds since 1970.
    pub created_at: u64,
    /// When it was seen last.
    pub last_active_at: u64,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// Answers `GET /v1/devices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Devices {
    /// The devices, oldest first.
    pub devices: Vec<Device>,
}

/// Answers `GET /v1/accounts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accounts {
    /// Accounts whose name begins as asked, in order of their names, at most 20.
    pub accounts: Vec<Profile>,
}

/// How two accounts stand to each other, as one of them sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// I asked; the other has not answered.
    Requested,
    /// The other asked me.
    Asked,
    /// Both agreed.
    Contact,
    /// I blocked the other.
    Blocked,
}

/// One contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Contact {
    /// The other's profile.
    #[serde(flatten)]
    pub profile: Profile,
    /// How we stand.
    pub relation: Relation,
}

reads_flattened!(Contact { relation: Relation } and profile);

/// Answers `GET /v1/contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {
    /// Contacts, requests and blocks.
    pub contacts: Vec<Contact>,
}

/// `POST /v1/direct`: the direct conversation with somebody; made where it does not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenDirect {
    /// With whom.
    pub account: AccountId,
}

/// `POST /v1/groups`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct NewGroup {
    /// The act's name for ever: asking twice makes one group.
    pub client_id: ClientId,
    /// The other members.
    pub members: Vec<AccountId>,
    /// Title, history and so on.
    #[serde(flatten)]
    pub settings: SettingsBody,
}

reads_flattened!(NewGroup { client_id: ClientId, members: Vec<AccountId> } and settings);

/// Names a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversationRef {
    /// Which.
    pub conversation: ConversationId,
}

/// `PATCH /v1/groups/{conversation}`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GroupChange {
    /// The act's name for ever; made by the server where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What changes.
    #[serde(flatten)]
    pub settings: SettingsBody,
}

reads_flattened!(GroupChange { client_id: Option<ClientId> } and settings);

/// `POST /v1/groups/{conversation}/members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddMembers {
    /// The act's name for ever; made by the server where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Whom to add.
    pub accounts: Vec<AccountId>,
}

/// `PUT /v1/groups/{conversation}/members/{account}/role`. `owner` hands the group over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleChange {
    /// The new role.
    pub role: Role,
}

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gateway {
    /// The WebSocket's address, such as `wss://chat.example/v1/ws`; empty means the address that was asked.
    pub url: String,
    /// Its zone, for clients that know theirs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
}

/// Answers `GET /v1/gateways`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gateways {
    /// Gateways, best first.
    pub gateways: Vec<Gateway>,
}

/// `POST /v1/app/accounts`, with the application key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppAccount {
    /// The account's id in the app's own backend; asking twice makes one account.
    pub external_id: String,
    /// The unique name; derived where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// `POST /v1/app/groups`, with the application key.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AppGroup {
    /// Who is to own it.
    pub owner: AccountId,
    /// The group.
    #[serde(flatten)]
    pub group: NewGroup,
}

reads_flattened!(AppGroup { owner: AccountId } and group);

/// `POST /v1/app/messages`, with the application key: a message in somebody's name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AppMessage {
    /// In whose name; must be a member.
    pub author: AccountId,
    /// The message.
    #[serde(flatten)]
    pub send: crate::request::Send,
}

reads_flattened!(AppMessage { author: AccountId } and send);

/// Answers `GET /v1/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// `ok`, or `draining`.
    pub status: String,
    /// The server's version.
    pub version: String,
}

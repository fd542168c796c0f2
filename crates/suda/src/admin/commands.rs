//! The commands of `suda admin`, and how the server's answers are printed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::operator::{Operator, Question};
use crate::config::Config;
use crate::stop::{Stop, while_trying};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Accounts
    Account {
        /// What to do with them.
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Make an invitation; with `signup = "invite"` one is needed to sign up
    Invite(InviteArguments),
    /// What the server is doing
    Status,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// List accounts by name
    List(ListArguments),
    /// Close an account: its devices are logged out, nothing is lost
    Disable(Named),
    /// Open a closed account again
    Enable(Named),
    /// Give an account a new password and log its devices out
    ResetPassword(Named),
    /// Whether an account is online, and at which nodes
    Presence(Named),
    /// Delete an account and what it wrote, for good
    Delete(DeleteArguments),
}

/// Which account.
#[derive(Args, Debug)]
pub struct Named {
    /// The account's name
    name: String,
}

/// Which accounts.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// Only names that begin so
    #[arg(long, default_value = "")]
    prefix: String,
    /// Only names behind this one; for the next page, the last name of the page before
    #[arg(long, default_value = "")]
    after: String,
    /// Most accounts to list
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

/// What kind of invitation.
#[derive(Args, Debug)]
pub struct InviteArguments {
    /// How many may sign up with it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    uses: u32,
    /// How many days it is valid
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
}

/// Which account, and whether that is certain.
#[derive(Args, Debug)]
pub struct DeleteArguments {
    /// The account's name
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Runs an admin command.
pub fn run(config: &Config, command: &AdminCommand, as_json: bool) -> Result<(), Stop> {
    if let AdminCommand::Account { command: AccountCommand::Delete(arguments) } = command {
        confirm_deletion(arguments)?;
    }
    let answer = crate::block_on(async {
        let operator = Operator::find(config).await?;
        let answer = operator.ask(question(command)).await;
        operator.done().await?;
        answer
    })?;
    let text = if as_json { format!("{answer}\n") } else { told(command, &answer) };
    crate::print(&text)
}

fn question(command: &AdminCommand) -> Question {
    match command {
        AdminCommand::Status => Question::new(Method::GET, &["status"]),
        AdminCommand::Invite(InviteArguments { uses, days }) => {
            Question::new(Method::POST, &["invites"]).body(json!({ "uses": uses, "days": days }))
        }
        AdminCommand::Account { command } => match command {
            AccountCommand::List(list) => Question::new(Method::GET, &["accounts"])
                .with("prefix", &list.prefix)
                .with("after", &list.after)
                .with("limit", &list.limit.to_string()),
            AccountCommand::Disable(Named { name }) => {
                Question::new(Method::POST, &["accounts", name, "disable"])
            }
            AccountCommand::Enable(Named { name }) => {
                Question::new(Method::POST, &["accounts", name, "enable"])
            }
            AccountCommand::ResetPassword(Named { name }) => {
                Question::new(Method::POST, &["accounts", name, "reset-password"])
            }
            AccountCommand::Presence(Named { name }) => {
                Question::new(Method::GET, &["accounts", name, "presence"])
            }
            AccountCommand::Delete(DeleteArguments { name, .. }) => {
                Question::new(Method::DELETE, &["accounts", name])
            }
        },
    }
}

/// The answer in words.
fn told(command: &AdminCommand, answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    match command {
        AdminCommand::Status => fields(answer),
        AdminCommand::Invite(_) => format!("{}\n", text("invite")),
        AdminCommand::Account { command } => match command {
            AccountCommand::List(_) => accounts(answer),
            AccountCommand::Presence(_) => fields(answer),
            AccountCommand::Disable(Named { name }) => format!("{name} is disabled\n"),
            AccountCommand::Enable(Named { name }) => format!("{name} is enabled\n"),
            AccountCommand::ResetPassword(Named { name }) => {
                format!("the new password of {name} is {}\n", text("password"))
            }
            AccountCommand::Delete(DeleteArguments { name, .. }) => format!("{name} is deleted\n"),
        },
    }
}

/// One account a line: its name, and the name it shows.
fn accounts(answer: &Value) -> String {
    let list = answer["accounts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |account: &Value| {
        let text = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
        let disabled = account["disabled"].as_bool().unwrap_or_default();
        let mark = if disabled { "disabled" } else { "" };
        let (name, shown) = (text("name"), text("display_name"));
        format!("{name:<32}  {mark:<8}  {shown}\n")
    };
    list.iter().map(line).collect()
}

/// One field a line.
fn fields(answer: &Value) -> String {
    let fields = answer.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name:<21}  {value}\n")).collect()
}

/// Deleting cannot be undone: a person says so, or a script with `--yes`.
fn confirm_deletion(arguments: &DeleteArguments) -> Result<(), Stop> {
    if arguments.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Stop::NotConfirmed);
    }
    let name = &arguments.name;
    let ask = || {
        eprint!("Delete {name} and all that it wrote, for good? Type its name to confirm: ");
        io::stderr().flush()?;
        let mut typed = String::new();
        io::stdin().lock().read_line(&mut typed)?;
        Ok(typed)
    };
    let typed: String = ask().map_err(while_trying("ask for confirmation"))?;
    if typed.trim() == name { Ok(()) } else { Err(Stop::NotConfirmed) }
}

//! Reads the arguments of `cargo xtask engines`.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::settings::{Choices, Compile, Settings};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start what does not run and wait until it serves.
    Up,
    /// End what runs.
    Down,
    /// Say what runs.
    Status,
    /// Print the addresses.
    Env,
    /// End at once, as when a machine dies.
    Kill,
    /// Stand still, as when a machine hangs.
    Freeze,
    /// Go on.
    Thaw,
    /// Start again and wait until it serves.
    Start,
}

const ACTIONS: [(&str, Action); 8] = [
    ("up", Action::Up),
    ("down", Action::Down),
    ("status", Action::Status),
    ("env", Action::Env),
    ("kill", Action::Kill),
    ("freeze", Action::Freeze),
    ("thaw", Action::Thaw),
    ("start", Action::Start),
];

/// A request, as the arguments say it.
#[derive(Debug)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// To which kinds or processes; all when empty.
    pub names: Vec<String>,
    /// With which settings.
    pub settings: Settings,
    /// Print JSON.
    pub json: bool,
    /// Delete the data of what is ended.
    pub wipe: bool,
    /// Do not wait until it serves.
    pub no_wait: bool,
}

impl Request {
    /// Reads `arguments`; the folder is `target/engines` under `root` unless they say otherwise.
    ///
    /// # Errors
    /// `Argument` with the first that is not understood.
    pub fn read(root: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let unknown = |argument: &str| Failure::Argument(argument.to_owned());
        let (first, rest) = arguments.split_first().ok_or_else(|| unknown(""))?;
        let action = ACTIONS.iter().find(|(name, _)| name == first).ok_or_else(|| unknown(first))?.1;
        let settings = Settings { folder: root.join("target/engines"), choices: Choices::default() };
        let mut request =
            Self { action, names: Vec::new(), settings, json: false, wipe: false, no_wait: false };
        request.settings.folder = folder(rest, &request.settings.folder)?;
        request.settings.choices = Choices::kept(&request.settings.folder);
        let mut rest = rest.iter().copied();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| unknown(argument));
            let choices = &mut request.settings.choices;
            match (argument, action) {
                ("--dir", _) => drop(value()?),
                ("--only", _) => request.names.extend(value()?.split(',').map(str::to_owned)),
                ("--json", Action::Status | Action::Env) => request.json = true,
                ("--wipe", Action::Down) => request.wipe = true,
                ("--no-wait", Action::Up | Action::Start) => request.no_wait = true,
                ("--ports", Action::Up) => choices.ports = ports(value()?)?,
                ("--heap", Action::Up) => choices.heap = value()?.to_owned(),
                ("--compile", Action::Up) => choices.compile = compile(value()?)?,
                (name, _) if !name.starts_with('-') => request.names.push(name.to_owned()),
                _ => return Err(unknown(argument)),
            }
        }
        let needs_names = matches!(action, Action::Kill | Action::Freeze | Action::Thaw | Action::Start);
        if needs_names && request.names.is_empty() {
            return Err(unknown(first));
        }
        Ok(request)
    }
}

/// The folder comes first, as it holds the choices that other arguments change.
fn folder(arguments: &[&str], usual: &Path) -> Result<PathBuf, Failure> {
    let Some(at) = arguments.iter().position(|argument| *argument == "--dir") else {
        return Ok(usual.to_owned());
    };
    let folder = arguments.get(at + 1).ok_or_else(|| Failure::Argument("--dir".to_owned()))?;
    std::path::absolute(folder).map_err(Failure::io("finding the folder"))
}

fn ports(text: &str) -> Result<u16, Failure> {
    let first = text.parse().ok().filter(|first| (1024..=65_000).contains(first));
    first.ok_or_else(|| Failure::Argument(format!("--ports {text}")))
}

fn compile(text: &str) -> Result<Compile, Failure> {
    match text {
        "quick" => Ok(Compile::Quick),
        "full" => Ok(Compile::Full),
        _ => Err(Failure::Argument(format!("--compile {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Request, Failure> {
        let words: Vec<&str> = words.split_whitespace().collect();
        Request::read(Path::new("nowhere"), &words)
    }

    #[test]
    fn arguments_are_read() {
        let request = read("up --only nats,postgres --ports 19000 --compile full --heap 1G").unwrap();
        assert_eq!(request.names, ["nats", "postgres"]);
        let expected = Choices { ports: 19_000, heap: "1G".to_owned(), compile: Compile::Full };
        assert_eq!(request.settings.choices, expected);
        let request = read("kill cassandra-2 nats-1 --dir /there").unwrap();
        assert_eq!((request.action, request.names.len()), (Action::Kill, 2));
        assert_eq!(request.settings.folder, Path::new("/there"));
        assert_eq!(read("status").unwrap().settings.folder, Path::new("nowhere/target/engines"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, named) in [
            ("", ""),
            ("jump", "jump"),
            ("kill", "kill"),
            ("up --ports", "--ports"),
            ("up --ports 80", "--ports 80"),
            ("down --ports 19000", "--ports"),
            ("up --compile slowly", "--compile slowly"),
            ("status --wipe", "--wipe"),
        ] {
            let Err(Failure::Argument(found)) = read(words) else { panic!("{words} is understood") };
            assert_eq!(found, named, "{words}");
        }
    }
}

//! Three Cassandra nodes from the published jars, on 127.0.0.1 to 127.0.0.3.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::cql::{Connection, Consistency, CqlError};
use super::engine::Engine;
use super::failure::{Failure, Missing};
use super::process::{Launch, Signal};
use super::settings::{Compile, Settings};
use super::tools;
use super::waiting::{create_folder, run_tool};

const VERSION: &str = "5.0.9";
/// The agent that measures objects; Cassandra's own start script loads the same.
const JAMM: &str = "0.4.0";
const NODES: usize = 3;
/// A third of the ring each, so that three replicas of three nodes are all of them anyway.
const TOKENS: [&str; NODES] = ["-9223372036854775808", "-3074457345618258603", "3074457345618258602"];
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(600);

/// What Cassandra reaches into of Java 17, from its `jvm17-server.options`.
const EXPORTS: [&str; 9] = [
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.attach/sun.tools.attach",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.unsupported/sun.misc",
];
const OPENS: [&str; 15] = [
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.compiler/com.sun.tools.javac",
    "jdk.management/com.sun.management.internal",
];

/// The table that every node has three replicas of: reading it from all shows who lives.
const READ_ALL: &str = "SELECT keyspace_name FROM system_distributed.parent_repair_history \
    WHERE parent_id = 00000000-0000-1000-8000-000000000000";
const VERSION_AND_SCHEMA: &str = "SELECT release_version, CAST(schema_version AS text) FROM system.local";
const SCHEMAS_OF_OTHERS: &str = "SELECT CAST(schema_version AS text) FROM system.peers_v2";

/// The three nodes.
pub struct Cassandra<'a> {
    settings: &'a Settings,
}

impl<'a> Cassandra<'a> {
    /// The nodes of these settings.
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    fn jars(&self) -> PathBuf {
        self.settings.folder.join(format!("cassandra-{VERSION}"))
    }

    fn node(&self, number: usize) -> PathBuf {
        self.settings.folder.join(format!("cassandra-node-{number}"))
    }

    fn cql(&self, number: usize) -> SocketAddr {
        SocketAddr::new(address(number), self.settings.port(42))
    }

    fn storage(&self, number: usize) -> SocketAddr {
        SocketAddr::new(address(number), self.settings.port(0))
    }

    /// Java's management port: it is always bound to the first loopback address.
    fn management(&self, number: usize) -> SocketAddr {
        SocketAddr::new(address(1), self.settings.port(90 + number as u16))
    }

    fn fill(&self, number: usize, template: &str) -> String {
        let seeds: Vec<String> = (1..=NODES).map(|number| self.storage(number).to_string()).collect();
        template
            .replace("{token}", TOKENS[number - 1])
            .replace("{seeds}", &seeds.join(","))
            .replace("{address}", &address(number).to_string())
            .replace("{storage_port}", &self.storage(number).port().to_string())
            .replace("{cql_port}", &self.cql(number).port().to_string())
            .replace("{folder}", &self.node(number).display().to_string())
    }

    fn arguments(&self, number: usize) -> Vec<String> {
        let (node, jars) = (self.node(number), self.jars());
        let (node, heap) = (node.display(), &self.settings.choices.heap);
        let mut arguments = vec![
            format!("-Xmx{heap}"),
            "-Xss256k".to_owned(),
            // The cheapest collector where heaps are small and cores are few.
            "-XX:+UseSerialGC".to_owned(),
            "-XX:MaxDirectMemorySize=256M".to_owned(),
            "-XX:+ExitOnOutOfMemoryError".to_owned(),
            "-XX:-UsePerfData".to_owned(),
            format!("-javaagent:{}", jars.join(format!("jamm-{JAMM}.jar")).display()),
        ];
        if self.settings.choices.compile == Compile::Quick {
            arguments.push("-XX:TieredStopAtLevel=1".to_owned());
        }
        for (flag, modules) in [("--add-exports", EXPORTS.as_slice()), ("--add-opens", OPENS.as_slice())] {
            arguments.extend(modules.iter().map(|module| format!("{flag}={module}=ALL-UNNAMED")));
        }
        let properties = [
            "java.net.preferIPv4Stack=true".to_owned(),
            "jdk.attach.allowAttachSelf=true".to_owned(),
            "io.netty.tryReflectionSetAccessible=true".to_owned(),
            "cassandra-foreground=yes".to_owned(),
            format!("cassandra.config=file://{node}/cassandra.yaml"),
            format!("cassandra.storagedir={node}"),
            format!("cassandra.logdir={node}"),
            format!("logback.configurationFile={node}/logback.xml"),
            format!("cassandra.jmx.local.port={}", self.management(number).port()),
            // On loopback, whoever is there answers at once.
            "cassandra.skip_wait_for_gossip_to_settle=0".to_owned(),
            // What a node finds out at its start, with a seventh of the start's CPU time.
            "cassandra.memtable.row_overhead_size=180".to_owned(),
        ];
        arguments.extend(properties.iter().map(|property| format!("-D{property}")));
        let classes = ["-cp".to_owned(), format!("{}/*", jars.display())];
        arguments.extend(classes);
        arguments.push("org.apache.cassandra.service.CassandraDaemon".to_owned());
        arguments
    }

    fn question(&self, number: usize, running: usize) -> Result<String, CqlError> {
        let mut connection = Connection::open(self.cql(number))?;
        let own = connection.ask(VERSION_AND_SCHEMA, Consistency::One)?.into_iter().flatten();
        let [version, schema]: [String; 2] =
            own.collect::<Vec<_>>().try_into().map_err(|_| CqlError::Refused("no version".to_owned()))?;
        let others = connection.ask(SCHEMAS_OF_OTHERS, Consistency::One)?;
        if others.iter().flatten().any(|other| *other != schema) {
            return Err(CqlError::Refused("the schemas differ".to_owned()));
        }
        match connection.ask(READ_ALL, Consistency::All) {
            Ok(_) => Ok(version),
            Err(CqlError::Unavailable { alive }) if running < NODES && alive >= running => Ok(version),
            Err(error) => Err(error),
        }
    }
}

impl Engine for Cassandra<'_> {
    fn name(&self) -> &'static str {
        "cassandra"
    }

    fn count(&self) -> usize {
        NODES
    }

    fn missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        if tools::java_17().is_none() {
            missing.push(Missing { what: "Java 17", package: "openjdk-17-jdk-headless" });
        }
        if !self.jars().is_dir() && tools::find("mvn").is_none() {
            missing.push(Missing { what: "Maven (mvn)", package: "maven" });
        }
        missing
    }

    fn prepare(&self) -> Result<(), Failure> {
        if self.jars().is_dir() {
            return Ok(());
        }
        let (project, partial) = (self.settings.folder.join("maven"), self.jars().with_extension("partial"));
        create_folder(&project)?;
        write(&project.join("pom.xml"), &pom())?;
        let mut maven = Command::new(tools::find("mvn").unwrap_or_else(|| "mvn".into()));
        maven.current_dir(&project).env("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        maven.args(["--batch-mode", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
        maven.arg(format!("-DoutputDirectory={}", partial.display()));
        let what = format!("fetching Cassandra {VERSION} with Maven");
        run_tool(&what, &mut maven, &project.join("output.log"), DOWNLOAD_LIMIT)?;
        fs::rename(&partial, self.jars()).map_err(Failure::io("moving Cassandra's jars into place"))
    }

    fn launch(&self, number: usize) -> Result<Launch, Failure> {
        let folder = self.node(number);
        create_folder(&folder)?;
        write(&folder.join("cassandra.yaml"), &self.fill(number, include_str!("cassandra.yaml")))?;
        write(&folder.join("logback.xml"), &self.fill(number, include_str!("cassandra.logback.xml")))?;
        Ok(Launch {
            program: tools::java_17().unwrap_or_else(|| "java".into()),
            arguments: self.arguments(number),
            output: folder.join("output.log"),
            folder,
        })
    }

    fn listens(&self, number: usize) -> Vec<(&'static str, SocketAddr)> {
        vec![
            ("cql", self.cql(number)),
            ("storage", self.storage(number)),
            ("management", self.management(number)),
        ]
    }

    fn ask(&self, number: usize, running: usize) -> Result<String, String> {
        self.question(number, running).map_err(|error| match error {
            CqlError::Io(error) => error.to_string(),
            CqlError::Unavailable { alive } => format!("sees {alive} of {NODES} nodes"),
            CqlError::Refused(why) => why,
        })
    }

    fn logs(&self, number: usize) -> Vec<PathBuf> {
        ["system.log", "output.log"].map(|name| self.node(number).join(name)).into()
    }

    fn data(&self, number: usize) -> PathBuf {
        self.node(number)
    }

    fn end(&self) -> Signal {
        Signal::Terminate
    }
}

fn address(number: usize) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, number as u8).into()
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(Failure::io(format!("writing {}", file.display())))
}

fn pom() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>suda</groupId><artifactId>engines</artifactId><version>1</version>\
         <packaging>pom</packaging><dependencies>{}{}</dependencies></project>\n",
        dependency("org.apache.cassandra", "cassandra-all", VERSION),
        dependency("com.github.jbellis", "jamm", JAMM),
    )
}

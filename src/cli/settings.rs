//! The flags of `quipu serve`, made from the table of options.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};

use crate::app::{Key, Kind, Options, SECTIONS};

/// Options that were given on the command line, as they were typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(pub(super) Vec<(&'static Key, String)>);

impl Args for Settings {
    fn augment_args(mut command: Command) -> Command {
        let defaults = Options::default();
        for key in Key::all() {
            for arg in args(key, &defaults) {
                command = command.arg(arg);
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The flag of an option; of a switch also the one that turns it off.
fn args(key: &'static Key, defaults: &Options) -> Vec<Arg> {
    let default = (key.show)(defaults);
    let heading = SECTIONS.iter().find(|(section, _)| *section == key.parts().0);
    let heading = heading.map_or("Options", |(_, heading)| heading);
    let arg = Arg::new(key.flag)
        .long(key.flag)
        .help_heading(heading)
        .hide_short_help(!key.is_common)
        .value_parser(move |text: &str| key.check(text).map(|()| text.to_owned()));
    if key.kind == Kind::Switch {
        let off = off(key);
        // Flags of one switch are listed once, by the one that changes something.
        let is_on = default == "true";
        return vec![
            arg.help(key.help)
                .value_name(key.kind.value_name())
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .overrides_with(off.clone())
                .hide(is_on),
            Arg::new(off.clone())
                .long(off)
                .action(ArgAction::SetTrue)
                .overrides_with(key.flag)
                .help_heading(heading)
                .hide_short_help(true)
                .hide(!is_on)
                .help(key.help),
        ];
    }
    let help = match default.as_str() {
        "" => key.help.to_owned(),
        default => format!("{} [default: {default}]", key.help),
    };
    let action = if key.kind == Kind::List { ArgAction::Append } else { ArgAction::Set };
    vec![arg.help(help).value_name(key.kind.value_name()).action(action)]
}

fn off(key: &Key) -> String {
    format!("no-{}", key.flag)
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self::default();
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for key in Key::all() {
            let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
            if is_given(key.flag) {
                let texts: Vec<&str> = matches
                    .get_many::<String>(key.flag)
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect();
                self.0.push((key, texts.join(",")));
            }
            if key.kind == Kind::Switch && is_given(&off(key)) {
                self.0.push((key, "false".into()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &[&str]) -> Result<Vec<String>, clap::Error> {
        let command = Settings::augment_args(Command::new("serve"));
        let words = ["serve"].iter().chain(words);
        let matches = command.try_get_matches_from(words)?;
        let settings = Settings::from_arg_matches(&matches)?;
        Ok(settings.0.iter().map(|(key, text)| format!("{}={text}", key.path)).collect())
    }

    #[test]
    fn flags_are_those_of_the_table() {
        assert!(given(&[]).unwrap().is_empty());
        for (words, expected) in [
            (vec!["--listen", "[::1]:1"], vec!["server.listen=[::1]:1"]),
            (vec!["--collect"], vec!["collect.enabled=true"]),
            (vec!["--collect", "--no-collect"], vec!["collect.enabled=false"]),
            (vec!["--no-collect", "--collect"], vec!["collect.enabled=true"]),
            (vec!["--collect=false"], vec!["collect.enabled=false"]),
            (vec!["--no-mmap"], vec!["storage.mmap=false"]),
            (vec!["--allow-host", "a.b", "--allow-host=c.d"], vec!["access.allowed_hosts=a.b,c.d"]),
        ] {
            assert_eq!(given(&words).unwrap(), expected, "{words:?}");
        }
        for words in [
            vec!["--retention", "soon"],
            vec!["--sync", "always"],
            vec!["--listen", "nowhere"],
            vec!["--retention", "1d", "--retention", "2d"],
        ] {
            assert!(given(&words).is_err(), "{words:?}");
        }
    }
}

"""An emulated AWS in which things happen: mail is routed, tasks run, alarms fire, services scale."""

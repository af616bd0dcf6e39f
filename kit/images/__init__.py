"""Container images of the reference system and the emulated cloud: built from these sources, checked before a run.

images.toml --recipes--> build --wheels, node_modules--> context --> engine --> webordinary/hermes:test
                            |-- base: from a registry, or from Debian packages
                           check: were the engine's images and containers built from these sources?
"""

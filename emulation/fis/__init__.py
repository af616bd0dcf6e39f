"""Fault Injection Service: experiments that stop tasks and cut subnets off, with stop conditions."""

from emulation.fis.controller import Fis

__all__ = ["Fis"]

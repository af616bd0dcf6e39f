"""Fault Injection Service: experiments that stop tasks and cut subnets off, with stop conditions."""

from .controller import Fis

__all__ = ["Fis"]

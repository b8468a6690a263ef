"""Simulators and tool flows of the hardware chapters that are too long for a cell; every module loads what it needs when used."""

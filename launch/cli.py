"""The command line: `./popcandy <command>`."""

import json
import signal
import sys
import time
from pathlib import Path
from threading import Event as Flag
from types import FrameType
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from launch import broker, demo, doctor, figures, quality, report, serve
from launch.embedded import Address, EmbeddedPlatform
from launch.folders import folder_of_command, folder_of_demo, folder_of_up, remember
from launch.reach import Way, reached, signed
from launch.season.file import BadSeason
from launch.services import SERVICES
from launch.workers import Crew
from shared.database.server import Server
from shared.errors import Hindrance
from shared.roles import Role
from shared.settings import Settings, settings
from shared.telemetry import configure_logging

ROOT = Path(__file__).parents[1]

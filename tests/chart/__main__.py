"""`make chart-docs`: write values.schema.json and README.md of the chart."""

from tests.chart.monitoring import MONITORING, render_monitoring
from tests.chart.readme import README, render_readme
from tests.chart.schema import SCHEMA, render_schema

SCHEMA.write_text(render_schema(), encoding="utf-8")
README.write_text(render_readme(), encoding="utf-8")
MONITORING.write_text(render_monitoring(), encoding="utf-8")

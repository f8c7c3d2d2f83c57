"""The process: settings, wiring, command line, dispatch, jobs, channels and pages."""

# Anlan (安澜): `make run` starts the demo, `make test` is the gate. Nothing else is needed to begin.
.PHONY: help run test figures pages

help:
	@echo "make run      set up, build and start the demo; prints one link to open (构建并启动演示)"
	@echo "make test     the gate: format, lints, pages, all tests in Rust and in Chromium (全部检查与测试)"
	@echo "make figures  the measurements behind docs/performance.md, by hand; takes long (性能测量)"
	@echo "make pages    build web/dist only (只构建页面)"

# Arguments for the demo: make run ARGS="--listen 127.0.0.1:9000"
run:
	@bash deploy/tools.sh run
	@bash web/build.sh
	cargo build --release --locked
	@exec "$$(bash deploy/tools.sh binary release)" demo $(ARGS)

test:
	@bash tests/gate.sh

figures:
	@bash deploy/tools.sh run
	@bash benches/figures.sh

pages:
	@bash deploy/tools.sh pages
	@bash web/build.sh

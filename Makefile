# Everything that people and CI do here. `make` alone lists it.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Make would read a $ in these as the start of a name; they are taken as they were written, and passed in the environment.
override PASSWORD := $(value PASSWORD)
override DATA := $(value DATA)
override EMAIL_HOST_PASSWORD := $(value EMAIL_HOST_PASSWORD)
export PORT DATA SEED BIND EMAIL PASSWORD EMAIL_HOST_PASSWORD

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVICES := auth_svc catalog_svc cart_svc checkout_svc logs_svc reco_svc
# The longest first, so that two at a time end together.
SUITES := catalog_svc chassis local $(filter-out catalog_svc,$(SERVICES)) storefront gateway autoscale swarm
NPM_FOLDERS := local/couch local/azurite local/seed storefront autoscale
# What browsers load of them, copied to where pages find it.
VENDORED := storefront/shop/static/vendor autoscale/autoscaling/static/autoscaling/vendor
UNIT := not integration and not e2e and not kill and not swarm and not spark
PYTEST := $(CURDIR)/$(BIN)/python -m pytest -q

##@ Run the shop

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: install ## Start the shop: PORT=8000 DATA=var SEED=demo|none BIND=localhost DEMO=1 VERBOSE=1
	@exec $(BIN)/python -m local run

.PHONY: staff
staff: $(VENV)/.installed ## Make an admin in the running shop: EMAIL= PASSWORD= (PORT= DATA=)
	@exec $(BIN)/python -m local staff

.PHONY: bench
bench: install ## Measure start-up, memory, CPU time per request, orders per second
	@exec $(BIN)/python -m local.bench

.PHONY: bench-logs
bench-logs: install ## Measure logs_svc: intake, kills of CouchDB and of the service, figures at EVENTS=100000
	@exec $(BIN)/python -m local.bench.events --events $(or $(EVENTS),100000)

.PHONY: bench-hostile
bench-hostile: install ## What the worst bodies within the limits cost each service: CPU time and memory
	@AUTH_RATE=100000 AUTH_ACCOUNT_RATE=100000 exec $(BIN)/python -m local.bench.hostile

##@ Run it on a Docker Swarm

# Options: variables of make, or lines of swarm/shop.env (swarm/shop.env.example has them all).
SWARM := exec $(BIN)/python -m swarm

.PHONY: images
images: install ## Build the images, tagged by what is in them: REGISTRY= to push them
	@$(SWARM) images

.PHONY: deploy
deploy: install ## Deploy, again and again: DOMAIN=localhost HTTPS_PORT=443 TLS_CERT= TLS_KEY= DEMO=1
	@$(SWARM) deploy

.PHONY: status
status: $(VENV)/.installed ## Nodes, tasks, health, CPU: WATCH=1, as a page WEB=8099, JSON=1
	@$(SWARM) status

.PHONY: logs
logs: $(VENV)/.installed ## Follow the local shop; of a deployed service: SERVICE=catalog (or all) LINES=100 FOLLOW=1
	@$(if $(SERVICE),$(SWARM) logs,exec $(BIN)/python -m local logs)

.PHONY: scale
scale: $(VENV)/.installed ## That many replicas: SERVICE=catalog REPLICAS=3
	@$(SWARM) scale

.PHONY: update
update: install ## Roll one service to the work tree, or to IMAGE=: SERVICE=catalog
	@$(SWARM) update

.PHONY: rollback
rollback: $(VENV)/.installed ## Back to the images of before: SERVICE=catalog, or everything
	@$(SWARM) rollback

.PHONY: undeploy
undeploy: $(VENV)/.installed ## Take the stack down; data and secrets stay unless DATA=delete
	@$(SWARM) undeploy

.PHONY: swarm-staff
swarm-staff: $(VENV)/.installed ## Make an admin in the deployed shop: EMAIL= PASSWORD= (asks)
	@$(SWARM) staff

.PHONY: swarm-seed
swarm-seed: install ## Fill the deployed shop with demo goods: EMAIL= PASSWORD= of an admin
	@$(SWARM) seed

.PHONY: backup
backup: $(VENV)/.installed ## Every database and picture to one file: TO=shop.tar
	@$(SWARM) backup

.PHONY: restore
restore: $(VENV)/.installed ## A backup into an empty shop, or FORCE=yes instead of a full one: FROM=shop.tar
	@$(SWARM) restore

.PHONY: standby
standby: $(VENV)/.installed ## Let the second databases follow: SERVICE=checkout, or all; ANEW=yes
	@$(SWARM) standby

.PHONY: promote
promote: $(VENV)/.installed ## The standby becomes the database: SERVICE=checkout, FENCED=yes
	@$(SWARM) promote

.PHONY: reconcile
reconcile: $(VENV)/.installed ## Make stock, orders and payments agree, after a restore or a promotion
	@$(SWARM) reconcile

.PHONY: secrets-rotate
secrets-rotate: $(VENV)/.installed ## New keys and passwords without a failed request: WHAT=signing|database|redis|all
	@$(SWARM) rotate

.PHONY: spike
spike: $(VENV)/.science ## A flood of log-ins on the deployed shop, and a report: RATE=30 TO=var/spike URL= (deploy with AUTH_RATE=100000)
	@$(SWARM) spike

##@ Compare autoscaling policies

# Options that were given, as the command's own; --json for JSON=, and so on.
given = $(if $($(1)),--$(2) '$($(1))')

.PHONY: simulate
simulate: $(VENV)/.science ## Simulate: TRACE=step,flash POLICY=default,hpa SEEDS=10|11-30 START=3.5-5.5 JSON= CHARTS=var/simulate MIN= MAX= JOBS=
	@$(BIN)/python autoscale/manage.py simulate --charts '$(or $(CHARTS),var/simulate)' $(call given,TRACE,trace) \
	  $(call given,POLICY,policy) $(call given,SEEDS,seeds) $(call given,START,start) $(call given,JSON,json) \
	  $(call given,MIN,min) $(call given,MAX,max) $(call given,JOBS,jobs)

##@ Check

.PHONY: test
test: install ## Unit, integration and end-to-end tests
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-integration
	@$(MAKE) --no-print-directory test-e2e

.PHONY: test-unit
test-unit: install $(VENV)/.science ## Domain, services and views on in-memory parts; no network
	@$(MAKE) --no-print-directory -j2 -k -Otarget $(addprefix _unit-,$(SUITES) tests)

.PHONY: test-integration
test-integration: install $(VENV)/.science ## The same contracts on the real CouchDB-protocol server, nginx, Valkey, Azurite
	@$(MAKE) --no-print-directory -j2 -k -Otarget $(addprefix _integration-,$(SUITES) tests)

.PHONY: test-e2e
test-e2e: install _browser ## The whole shop, by HTTP and in a real headless Chromium
	@$(PYTEST) tests -m e2e

.PHONY: test-kill
test-kill: install ## kill -9 of every service and of the database under load; then an audit
	@$(PYTEST) tests -m kill -s

.PHONY: test-spark
test-spark: install $(VENV)/.spark ## PySpark, local mode, beside the single machine: the same lists (installs PySpark, Java)
	@cd reco_svc && $(PYTEST) tests -m spark

.PHONY: test-swarm
test-swarm: install ## A real Swarm on this machine, under load: updates, faults, backup, nodes (as root; PHASES="0 1 2")
	@swarm/machine/docker-up.sh
	@$(PYTEST) $(or $(foreach phase,$(PHASES),$(wildcard tests/swarm/test_$(phase)_*.py)),tests) -m swarm -s --durations=12
	@$(if $(PHASES),,cd autoscale && $(PYTEST) tests -m swarm --durations=5)

# A suite without a test of that tempo is no failure: pytest then ends with 5.
_unit-tests:
	@echo "tests"; $(PYTEST) tests -m "$(UNIT)" || [ $$? -eq 5 ]
_unit-%:
	@echo "$*"; cd $* && $(PYTEST) tests -m "$(UNIT)" || [ $$? -eq 5 ]
_integration-tests:
	@echo "tests"; $(PYTEST) tests -m integration || [ $$? -eq 5 ]
_integration-%:
	@echo "$*"; cd $* && $(PYTEST) tests -m integration || [ $$? -eq 5 ]

.PHONY: bench-autoscale
bench-autoscale: $(VENV)/.science ## The autoscaling policy against its targets, a day in under 30 s of CPU: SEEDS=10|11-30 DAY=file JOBS=
	@$(BIN)/python autoscale/manage.py bench $(call given,SEEDS,seeds) $(call given,DAY,day) $(call given,JOBS,jobs)

.PHONY: evaluate
evaluate: $(VENV)/.science ## Recommenders side by side: DATA=file PROTOCOL=last-basket METHODS=popularity,ours JSON= CHARTS=
	@$(BIN)/python reco_svc/manage.py evaluate --data "$$DATA" --protocol "$${PROTOCOL:-last-basket}" \
	  --methods "$${METHODS:-popularity,ours}" --json "$${JSON:-}" --charts "$${CHARTS:-}"

.PHONY: bench-reco
bench-reco: $(VENV)/.science ## The recommendation engine's CPU and memory beside stock Surprise (16 GB for stock's part), then bench-lists
	@missed=0; (cd reco_svc && ../$(BIN)/python -m reco.evaluation.bench) || missed=1; \
	  $(MAKE) --no-print-directory bench-lists || missed=1; exit $$missed

.PHONY: bench-lists
bench-lists: install ## Lists of recommendations over HTTP: service time, lists a second: JSON= PRODUCTS=20000 PEOPLE=50000 EVENTS=1000000
	@$(BIN)/python -m local.bench.lists --json "$${JSON:-}" $(call given,PRODUCTS,products) \
	  $(call given,PEOPLE,people) $(call given,EVENTS,events)

.PHONY: lint
lint: $(VENV)/.installed ## ruff, mypy, import-linter, templates, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m local.lint

.PHONY: format
format: $(VENV)/.installed ## Put the code into its one form
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format .

##@ Maintain

.PHONY: install
install: $(VENV)/.installed _node-modules ## Install what is missing: Python packages and Node modules, into this folder only

.PHONY: _node-modules
_node-modules: $(VENV)/.installed
	@$(BIN)/python -m local.npm $(NPM_FOLDERS)
	@$(BIN)/python -m local.vendor

.PHONY: _browser
_browser: $(VENV)/.installed
	@$(BIN)/python -m local.browser

$(VENV)/.installed: requirements/dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: install Python 3.11 or later." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) -V). Say which: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "python3-venv is missing: install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Installing Python packages into $(VENV) (a minute or two the first time)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip check -q --disable-pip-version-check
	@echo ../../../../chassis > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/hivemart.pth"
	@touch $@

# Not a part of `make install`: 400 MB, and a Java.
$(VENV)/.spark: requirements/spark.txt $(VENV)/.installed
	@command -v java >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
	    echo "Spark needs Java 17 or later: install one (Debian: apt-get install default-jre-headless)." >&2; exit 1; }; \
	  echo "Installing a Java for Spark"; apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends default-jre-headless; }
	@echo "Installing PySpark into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/spark.txt
	@touch $@

$(VENV)/.science: requirements/science.txt $(VENV)/.installed
	@echo "Installing what simulations and evaluations need into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/science.txt
	@touch $@

.PHONY: lock
lock: $(VENV)/lock ## Lock every requirement anew, with hashes and without hosts
	@$(call compile,requirements/dev.in,requirements/dev.txt)
	@$(call compile,requirements/science.in,requirements/science.txt)
	@$(call compile,requirements/spark.in,requirements/spark.txt)
	@for folder in $(SERVICES) storefront autoscale; do \
	  $(call compile,--constraint requirements/dev.txt $$folder/requirements.in,$$folder/requirements.txt); done
	@for folder in $(NPM_FOLDERS); do \
	  (cd $$folder && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit); done

compile = $(VENV)/lock/bin/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-emit-find-links \
	--no-emit-index-url --no-emit-trusted-host --output-file=$(2) $(1)

$(VENV)/lock: $(VENV)/.installed
	@$(PYTHON) -m venv $@ && $@/bin/python -m pip install -q --disable-pip-version-check pip-tools

.PHONY: docs
docs: $(VENV)/.installed ## Write docs/settings.md and docs/api.md anew from the code
	@$(BIN)/python -m local.settings_docs > docs/settings.md
	@$(BIN)/python -m local.api_docs > docs/api.md

.PHONY: clean
clean: ## Remove what was installed; data folders stay
	rm -rf $(VENV) $(addsuffix /node_modules,$(NPM_FOLDERS)) $(VENDORED)

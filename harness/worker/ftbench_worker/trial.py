"""The driver's requests: prepare a cell, take a sample, finish."""

from ftbench_worker import PROTOCOL_VERSION, collector, gil, models
from ftbench_worker.failure import ContractError, failing_as
from ftbench_worker.share import clock_ns, split_units
from ftbench_worker.thread_pools import thread_pools
from ftbench_worker.workload import load

# The keys of `prepare` that say what to load, beside the path.
_CODE_KEYS = (
    "case",
    "format",
    "arguments",
    "callable",
    "call",
    "command",
    "module_folder",
    "loop_factory",
    "client_pus",
    "time_limit_s",
)


class Trial:
    """The trial of this process. `answer` raises `Failed` when the workload fails."""

    def __init__(self):
        self._workload = None
        self._model = None
        self._units_of_workers = []
        self._workers = []
        self._sampler = None
        # Garbage collections so far by worker, for pools whose workers have an interpreter each.
        self._collected_elsewhere = {}

    def answer(self, request):
        """The reply to a request."""
        kind = request["type"]
        if kind == "prepare":
            return self._prepare(request)
        if kind == "sample":
            return self._sample(request["sample"])
        if kind == "open_sampler":
            return self._open_sampler(request["library"], request["worker_bytes"])
        if kind in ("set_sampling", "save_samples", "resolve"):
            return self._use_sampler(kind, request)
        if kind == "finish":
            return self._finish()
        raise ContractError(f"this worker knows no request '{kind}'")

    def _prepare(self, request):
        """Load and set up the workload and start the workers, after closing an earlier model."""
        if request["protocol"] != PROTOCOL_VERSION:
            raise ContractError(
                f"the driver speaks protocol {request['protocol']}, "
                f"the worker {PROTOCOL_VERSION}: they come from different versions of ftbench"
            )
        self._close_model()
        workers = request["workers"]
        if request["scaling"] == "strong":
            self._units_of_workers = split_units(request["units"], workers)
        else:
            self._units_of_workers = [request["units"]] * workers
        # Import the model's modules before the workload's folder is put first on sys.path.
        create_model = models.factory(request["model"])
        code = {key: request[key] for key in _CODE_KEYS}
        self._workload = load(request["workload"], request["path"], **code)
        model = self._model = create_model(self._workload, workers)
        units = sum(self._units_of_workers)
        self._workload.set_up(units)
        with failing_as("start"):
            start_ns = clock_ns()
            model.start()
            end_ns = clock_ns()
        reported = self._workers = model.set_up(units)
        self._collected_elsewhere = {}
        self._collected(reported)
        imported = self._workload.imported
        return {
            "type": "ready",
            **_gil_state(reported),
            "startup_ns": end_ns - start_ns,
            "start_method": model.start_method,
            "import_ns": imported and imported.own_ns,
            "import_threads": imported and imported.threads,
            "workers": [_identity(worker) for worker in reported],
        }

    def _sample(self, sample):
        """Take one sample: split, time the shares, check and report."""
        model = self._model
        if model is None:
            raise ContractError("the driver asked for a sample before it sent 'prepare'")
        inputs = self._workload.split(len(self._units_of_workers))
        collected_before = self._collected([])
        collector.forget_longest()
        timed = model.run(inputs, self._units_of_workers)
        if self._workload.times_itself:
            timed = timed._replace(
                start_ns=min(share.start_ns for share in timed.shares),
                end_ns=max(share.end_ns for share in timed.shares),
            )
        workers = [share.worker for share in timed.shares]
        collected = self._collected(workers)
        results = [share.result for share in timed.shares]
        units = sum(self._units_of_workers)
        self._workload.check(results, units)
        return {
            "type": "sample",
            "sample": sample,
            "start_ns": timed.start_ns,
            "end_ns": timed.end_ns,
            **_gil_state(workers),
            **_collections(collected_before, collected),
            "shares": [
                {**_identity(share.worker), "start_ns": share.start_ns, "end_ns": share.end_ns}
                for share in timed.shares
            ],
            "reported": self._workload.report(results, units),
        }

    def _collected(self, reported):
        """Garbage collections so far in the interpreters of the workers, as in `collector.so_far`.

        The longest is that of the workers that have reported.
        """
        if self._model.works_here or collector.so_far() is None:
            return collector.so_far()
        for worker in reported:
            identity = (worker.process_id, worker.thread_id)
            self._collected_elsewhere[identity] = worker.collections[:2]
        count, total_ns = map(sum, zip((0, 0), *self._collected_elsewhere.values()))
        return count, total_ns, max((worker.collections[2] for worker in reported), default=0)

    def _open_sampler(self, library, worker_bytes):
        if self._model is None:
            raise ContractError("the driver asked for a sampler before it sent 'prepare'")
        # Nothing of it is loaded into processes that are only measured.
        from ftbench_worker.sampler import Sampler

        roots = self._workload.roots()
        sampler = self._sampler = Sampler(library, worker_bytes, self._workers, roots)
        return {
            "type": "sampler_opened",
            "has_frames": sampler.has_frames,
            "knows_objects": sampler.knows_objects,
        }

    def _use_sampler(self, kind, request):
        sampler = self._sampler
        if sampler is None:
            raise ContractError("the driver used the sampler before it sent 'open_sampler'")
        if kind == "set_sampling":
            sampler.set_period(request["period_ns"])
            return {"type": "sampling_set"}
        if kind == "save_samples":
            path, mappings = sampler.save()
            return {"type": "samples_saved", "path": path, "mappings": mappings}
        objects, functions = sampler.resolve(request["addresses"], request["code"])
        return {"type": "resolved", "objects": objects, "functions": functions}

    def _finish(self):
        model = self._model
        pools = thread_pools()
        self._close_model()
        # Imports by workers in other interpreters are not visible here.
        if model is not None and model.works_here:
            self._workload.check_origin()
        return {"type": "finished", "thread_pools": pools}

    def _close_model(self):
        if self._model is not None:
            self._model.tear_down()
            self._model.close()
            self._workload.tear_down()
            self._model = None

    def kill(self):
        """End the workers at once."""
        if self._model is not None:
            self._model.kill()


def _identity(worker):
    return {"process_id": worker.process_id, "thread_id": worker.thread_id}


def _collections(before, after):
    """The garbage collections of a sample, for its reply."""
    if after is None:
        return {"collections": None, "collection_ns": None, "longest_collection_ns": None}
    return {
        "collections": after[0] - before[0],
        "collection_ns": after[1] - before[1],
        "longest_collection_ns": after[2],
    }


def _gil_state(workers):
    """Whether the GIL is on in this process or a worker's, and the first module that is named."""
    names = [gil.enabled_by(), *(worker.gil_enabled_by for worker in workers)]
    return {
        "gil_enabled": gil.enabled() or any(worker.gil_enabled for worker in workers),
        "gil_enabled_by": next((name for name in names if name is not None), None),
    }

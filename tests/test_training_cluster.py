"""The starts of a fit spread over processes, and over a cluster that loses a worker: the outcome is the same."""

import os
import signal

import numpy as np
import pytest

import bifrncrn as bf


def arrays(fit):
    return np.concatenate([a.ravel() for a in fit.network.weights().values()])


def test_processes_change_nothing():
    options = {"seeds": 3, "evaluations": 20}
    alone, spread = (bf.train(bf.library.get("bistable"), jobs=jobs, **options) for jobs in (1, 2))
    np.testing.assert_array_equal(arrays(alone), arrays(spread))
    assert [c.start.index for c in alone.candidates] == [c.start.index for c in spread.candidates]
    assert [c.standing for c in alone.candidates] == [c.standing for c in spread.candidates]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # a worker that dies is warned about in many ways
def test_a_cluster_that_loses_a_worker_loses_no_start():
    distributed = pytest.importorskip("distributed")
    from joblib import parallel_config

    options = {"seeds": 6, "evaluations": 60}
    alone = bf.train(bf.library.get("bistable"), **options)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        workers = list(client.run(os.getpid).values())
        killed = []

        def kill_one(done, total, start):
            if not killed:
                killed.append(workers[0])
                os.kill(workers[0], signal.SIGKILL)

        with parallel_config(backend="dask"):
            spread = bf.train(bf.library.get("bistable"), progress=kill_one, **options)
    assert killed
    np.testing.assert_array_equal(arrays(alone), arrays(spread))
    assert len(spread.candidates) == 6

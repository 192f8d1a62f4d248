"""scikit-learn's same job as train_imdb: two HashingVectorizers, idf, L2 norm, LogisticRegression; CSV to stored model.

Prints one JSON line: seconds from opening the training file to the pickled model, and accuracy on the test reviews.
"""
import csv
import gzip
import json
import pickle
import sys
import tempfile
import time

from scipy.sparse import hstack
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

csv.field_size_limit(1 << 30)


def read(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    return [r["text"] for r in rows], [1 if r["label"] in ("1", "pos") else 0 for r in rows]


def vectors(text):
    common = dict(n_features=262144, alternate_sign=False, norm=None, token_pattern=r"\w+")
    return hstack([HashingVectorizer(ngram_range=(n, n), **common).transform(text) for n in (1, 2)]).tocsr()


def main(train, test):
    start = time.perf_counter()
    text, label = read(train)
    tf = vectors(text)
    idf = TfidfTransformer(norm="l2", smooth_idf=True)
    features = idf.fit_transform(tf)
    # regParam 2e-6 of a mean loss is C = 1 / (n · regParam).
    model = LogisticRegression(C=1 / (len(label) * 2e-6), max_iter=100).fit(features, label)
    with tempfile.TemporaryFile() as out:
        pickle.dump((idf, model), out)
    seconds = time.perf_counter() - start
    text, label = read(test)
    accuracy = model.score(idf.transform(vectors(text)), label)
    print(json.dumps({"seconds": round(seconds, 3), "accuracy": accuracy}))


if __name__ == "__main__":
    main(*sys.argv[1:])

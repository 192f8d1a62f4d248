"""What teams write by hand: a pickled scikit-learn pipeline behind FastAPI. Served by uvicorn: `uvicorn peer_uvicorn:app`.

Trained when it starts, on the CSV that QUERN_CORPUS names (columns text, label).
"""
import csv
import os

from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


class Review(BaseModel):
    text: str


def fit():
    with open(os.environ["QUERN_CORPUS"], encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression())
    return model.fit([r["text"] for r in rows], [int(r["label"]) for r in rows])


app = FastAPI()
model = fit()


@app.post("/predict")
def predict(review: Review):
    return {"sentiment": float(model.predict_proba([review.text])[0, 1])}

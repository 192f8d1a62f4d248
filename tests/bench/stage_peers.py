"""scikit-learn's (or numpy's) equivalents of the stages in stages.py: name -> fit(rows) -> transform(rows).

Rows are what stages.Rows holds: lists of texts or tokens, arrays with a row a row, sparse matrices, or tuples of these.
"""
import warnings

import numpy as np
import scipy.fft
import scipy.sparse
from sklearn import linear_model, preprocessing
from sklearn.decomposition import PCA
from sklearn.feature_extraction import FeatureHasher, text
from sklearn.feature_selection import SelectKBest, VarianceThreshold, chi2, f_classif
from sklearn.impute import SimpleImputer

WIDE = 1 << 18
warnings.filterwarnings("ignore", message="Your stop_words may be inconsistent")


def each(f):
    return lambda rows: [f(r) for r in rows]


def analyzer(**options):
    """CountVectorizer's way from a text, or from tokens where `tokens`, to terms."""
    tokens = options.pop("tokens", False)
    if tokens:
        options |= {"tokenizer": list, "preprocessor": lambda t: t, "token_pattern": None}
    return each(text.CountVectorizer(**options).build_analyzer())


def hasher():
    return FeatureHasher(WIDE, input_type="string", alternate_sign=False).transform


def named(rows):
    return [dict(zip(NAMES, r)) for r in rows]


NAMES = [f"c{i}" for i in range(10)]


def fitted(estimator, *labels):
    return lambda rows: estimator.fit(rows, *labels).transform


def labelled(make):
    """Estimators that need labels: any two classes do for the cost of a transform."""
    def fit(rows):
        y = np.arange(len(rows)) % 2
        return make(rows, y)
    return fit


def count_vectorizer(rows):
    return text.CountVectorizer(analyzer=lambda t: t).fit(rows).transform


def index_to_string(rows):
    return preprocessing.OrdinalEncoder().fit(np.array([[f"w{k}"] * rows.shape[1] for k in range(20)], object)).inverse_transform


def text_chain(rows):
    count = text.HashingVectorizer(n_features=WIDE, token_pattern=r"\w+", stop_words="english", ngram_range=(2, 2), norm=None,
                                   alternate_sign=False)
    idf = text.TfidfTransformer(norm=None).fit(count.transform(rows))
    return lambda r: idf.transform(count.transform(r))


def wide_chain(rows):
    count = hasher()
    idf = text.TfidfTransformer(norm="l2").fit(count(rows))
    return lambda r: idf.transform(count(r))


def tabular_chain(rows):
    """The parts of a ColumnTransformer without what it costs to take them from a table."""
    numbers, strings = rows
    impute = SimpleImputer().fit(numbers)
    encode = preprocessing.OneHotEncoder(drop="first").fit(strings)

    def assemble(r):
        return scipy.sparse.hstack([encode.transform(r[1]), impute.transform(r[0])], format="csr")

    scale = preprocessing.StandardScaler(with_mean=False).fit(assemble(rows))
    return lambda r: scale.transform(assemble(r))


PEERS = {
    "Tokenizer": lambda rows: analyzer(token_pattern=r"\S+"),
    "RegexTokenizer": lambda rows: analyzer(token_pattern=r"\w+"),
    "StopWordsRemover": lambda rows: analyzer(tokens=True, lowercase=False, stop_words="english"),
    "NGram": lambda rows: analyzer(tokens=True, lowercase=False, ngram_range=(2, 2)),
    "HashingTF": lambda rows: hasher(),
    "CountVectorizer": count_vectorizer,
    "FeatureHasher": lambda rows: lambda r: FeatureHasher(WIDE).transform(named(r)),
    "IDF": fitted(text.TfidfTransformer(norm=None)),
    "Normalizer": fitted(preprocessing.Normalizer()),
    "StandardScaler": fitted(preprocessing.StandardScaler()),
    "MinMaxScaler": fitted(preprocessing.MinMaxScaler()),
    "MaxAbsScaler": fitted(preprocessing.MaxAbsScaler()),
    "RobustScaler": fitted(preprocessing.RobustScaler()),
    "Binarizer": fitted(preprocessing.Binarizer()),
    "PCA": fitted(PCA(8)),
    "PolynomialExpansion": fitted(preprocessing.PolynomialFeatures(2, include_bias=False)),
    "DCT": lambda rows: lambda r: scipy.fft.dct(r, norm="ortho"),
    "ElementwiseProduct": lambda rows: lambda r: r * np.linspace(-1, 1, rows.shape[1]),
    "VectorSlicer": lambda rows: lambda r: r[:, [0, 3, 5, 8]],
    "VectorIndexer": fitted(preprocessing.OrdinalEncoder()),
    "VarianceThresholdSelector": fitted(VarianceThreshold(0.5)),
    "ChiSqSelector": labelled(lambda rows, y: SelectKBest(chi2, k=8).fit(rows, y).transform),
    "UnivariateFeatureSelector": labelled(lambda rows, y: SelectKBest(f_classif, k=8).fit(rows, y).transform),
    "Bucketizer": lambda rows: lambda r: np.digitize(r, [-1.0, 0.0, 1.0]),
    "QuantileDiscretizer": fitted(preprocessing.KBinsDiscretizer(8, encode="ordinal", quantile_method="averaged_inverted_cdf")),
    "Imputer": fitted(SimpleImputer()),
    "StringIndexer": fitted(preprocessing.OrdinalEncoder()),
    "IndexToString": index_to_string,
    "OneHotEncoder": fitted(preprocessing.OneHotEncoder(drop="first")),
    "TargetEncoder": labelled(lambda rows, y: preprocessing.TargetEncoder().fit(rows, y).transform),
    "VectorAssembler": lambda rows: lambda r: np.column_stack([r[:, k] for k in range(r.shape[1])]),
    "LogisticRegression": labelled(lambda rows, y: linear_model.LogisticRegression().fit(rows, y).predict_proba),
    "text chain": text_chain,
    "tabular chain, 40 columns": tabular_chain,
    "wide sparse chain": wide_chain,
}

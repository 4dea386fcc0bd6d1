# The project's environment, for the Makefile and for a shell at the project's root: `. conf/setup/environment.sh`

if [ ! -r .cache/env ]; then
    echo "Set-up is missing: run make setup (this file is for a shell at the project's root)." >&2
    return 1 2>/dev/null || exit 1
fi
. .cache/env # JAVA_HOME
if [ ! -x "$JAVA_HOME/bin/java" ]; then
    echo "The Java at $JAVA_HOME is gone: run make setup, which looks for another." >&2
    return 1 2>/dev/null || exit 1
fi

# Java names files in the encoding of the locale. Without a locale (cron has none), letters like `é` become `?`.
case "$(locale charmap 2>/dev/null)" in
UTF-8 | utf-8 | utf8) ;;
*) export LC_ALL=C.UTF-8 ;;
esac

export PATH="$PWD/.venv/bin:$JAVA_HOME/bin:$PATH"
export PYTHONPATH="$PWD/lib"
export PYSPARK_PYTHON="$PWD/.venv/bin/python" PYSPARK_DRIVER_PYTHON="$PWD/.venv/bin/python"
export SPARK_CONF_DIR="$PWD/conf/spark" SPARK_LOCAL_IP="${SPARK_LOCAL_IP:-127.0.0.1}"
unset SPARK_HOME # another Spark on this machine would be taken instead of the environment's

export FACESIEVE_MODELS="${FACESIEVE_MODELS:-$PWD/.cache/models}"
if [ -z "${FACESIEVE_DATA:-}" ] && [ -d ../shared/data ]; then
    FACESIEVE_DATA=$(cd ../shared/data && pwd)
    export FACESIEVE_DATA
fi

# Spark's tasks are the parallelism: one thread in each process for the numeric libraries, and no chatter.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"

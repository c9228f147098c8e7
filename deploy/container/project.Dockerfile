# A product's files with the program that deploys them, for deploy/kubernetes. To be built in the project's folder:
#
#     docker build --file project.Dockerfile --build-arg SELVEDGE_IMAGE=registry.example.com/selvedge:0.1.0 --tag sales:1 .
#
# Pin the digest of the image below in production. project.Dockerfile.dockerignore, beside this file, keeps `.env` and journals out.
ARG SELVEDGE_IMAGE=registry.example.com/selvedge:0.1.0

FROM ${SELVEDGE_IMAGE}
COPY . /project

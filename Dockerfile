# One image for the proxy, the worker and the command line; docker-compose.yml says which one runs.
# Node itself comes with the packages, at the version that package-lock.json pins (it needs glibc),
# so the base image only has to bring npm.
FROM node:26-bookworm-slim

ENV NODE_ENV=production
WORKDIR /gatehouse

# The manifests first: the packages are installed again only when one of these files changes.
COPY .npmrc package.json package-lock.json ./
COPY apps/cmd/package.json apps/cmd/
COPY apps/proxy/package.json apps/proxy/
COPY apps/worker/package.json apps/worker/
COPY libs/domain/package.json libs/domain/
COPY libs/events/package.json libs/events/
RUN npm ci --omit=dev --ignore-scripts \
  && mkdir -p node_modules/.bin \
  && ln -sf "../node-linux-$(node -p process.arch)/bin/node" node_modules/.bin/node \
  && node_modules/.bin/node --version \
  && npm cache clean --force

# The workspaces stay where they are: Node strips types in apps/ and libs/, never in node_modules.
COPY bin bin
COPY libs libs
COPY apps apps
COPY examples examples

RUN install -d -o node -g node /var/lib/gatehouse
ENV PATH=/gatehouse/node_modules/.bin:/gatehouse/bin:$PATH \
  GATEHOUSE_LISTEN=0.0.0.0:8080 \
  GATEHOUSE_ADMIN=127.0.0.1:9900 \
  GATEHOUSE_DATA=/var/lib/gatehouse

USER node
VOLUME /var/lib/gatehouse
EXPOSE 8080 8443
# The proxy stops taking work, ends what it has in hand, and leaves.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://${process.env.GATEHOUSE_ADMIN}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=4", "--expose-gc", "apps/proxy/src/main.mjs"]

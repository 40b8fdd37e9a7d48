import type { Server, ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/**
 * Adds server reflection, v1 and v1alpha. The package knows services without a package by names with a dot in front,
 * which no client asks for or can call; they go out and come in without it.
 */
export function addReflection(server: Server, definitions: PackageDefinition): void {
  const plain = new Set(Object.keys(definitions).filter((name) => !name.includes('.')));
  new ReflectionService(definitions).addToServer({
    addService: (service, methods) => server.addService(service, withPlainNames(methods, plain)),
  });
}

interface Question {
  readonly fileContainingSymbol?: string;
}

interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
}

type Stream = Pick<ServerDuplexStream<Question, Answer>, 'on' | 'write' | 'end'>;

function withPlainNames(
  methods: UntypedServiceImplementation,
  plain: ReadonlySet<string>,
): UntypedServiceImplementation {
  const inner = methods.ServerReflectionInfo as unknown as (stream: Pick<Stream, 'write' | 'end'>) => void;
  const info = (stream: Stream): void => {
    const facade = {
      on: (event: string, listener: (question?: Question) => void) =>
        stream.on(event, (question?: Question) => listener(question && dotted(question, plain))),
      write: (answer: Answer) => stream.write(undotted(answer)),
      end: () => stream.end(),
    };
    inner(facade);
  };
  return { ServerReflectionInfo: info as unknown as UntypedServiceImplementation[string] };
}

function dotted(question: Question, plain: ReadonlySet<string>): Question {
  const { fileContainingSymbol: symbol } = question;
  if (symbol === undefined || !plain.has(symbol.split('.')[0] ?? '')) return question;
  return { ...question, fileContainingSymbol: `.${symbol}` };
}

function undotted(answer: Answer): Answer {
  const { listServicesResponse: list } = answer;
  if (list === undefined) return answer;
  return {
    ...answer,
    listServicesResponse: { service: list.service.map(({ name }) => ({ name: name.replace(/^\./, '') })) },
  };
}
